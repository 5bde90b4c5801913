/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.bench;

import io.lmcache4j.cli.bench.BenchResult.Rate;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Figures against chunk size: a line for each path and direction. */
final class BenchCharts {

  static {
    // Nothing is shown on a screen, and there need not be one.
    System.setProperty("java.awt.headless", "true");
  }

  private static final int WIDTH = 960;
  private static final int HEIGHT = 560;
  private static final int DPI = 144;
  private static final Color PUT = new Color(0xC4, 0x4E, 0x15);
  private static final Color GET = new Color(0x1F, 0x5A, 0x9E);
  private static final Color GRID = new Color(0xDD, 0xDD, 0xDD);
  private static final Color INK = new Color(0x33, 0x33, 0x33);
  private static final double HEADROOM = 1.1;
  private static final int MARKER = 7;
  private static final int TICK_SPACING = 70;
  private static final BasicStroke SOLID = new BasicStroke(2.5f);
  private static final BasicStroke DASHED =
      new BasicStroke(2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1f, new float[] {7, 5}, 0);

  private BenchCharts() {}

  static void throughput(List<BenchResult> results, Path file) throws IOException {
    draw(results, "Throughput, one client", "GiB/s", Rate::gibPerSec, file);
  }

  static void cpu(List<BenchResult> results, Path file) throws IOException {
    draw(results, "CPU of the client", "CPU seconds per GiB", Rate::cpuSecPerGib, file);
  }

  private static void draw(
      List<BenchResult> results, String title, String axis, ToDoubleFunction<Rate> value, Path file)
      throws IOException {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("Chunk size (MiB, logarithmic)")
            .yAxisTitle(axis)
            .build();
    style(chart.getStyler());
    double top = 0;
    for (String path : results.stream().map(BenchResult::path).distinct().toList()) {
      List<BenchResult> line = results.stream().filter(r -> r.path().equals(path)).toList();
      top = Math.max(top, add(chart, "put", path, line, BenchResult::put, value));
      top = Math.max(top, add(chart, "get", path, line, BenchResult::get, value));
    }
    double[] exponents =
        results.stream().mapToDouble(r -> exponent(r.settings().chunkMib())).sorted().toArray();
    chart.getStyler().setXAxisMin(Math.floor(exponents[0]));
    chart.getStyler().setXAxisMax(Math.floor(exponents[exponents.length - 1]) + 1);
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setYAxisMax(top * HEADROOM);
    BitmapEncoder.saveBitmapWithDPI(chart, file.toString(), BitmapEncoder.BitmapFormat.PNG, DPI);
  }

  private static void style(XYStyler style) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 14);
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartFontColor(INK);
    style.setChartTitleFont(font.deriveFont(Font.BOLD, 17f));
    style.setPlotBackgroundColor(Color.WHITE);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesColor(GRID);
    style.setPlotGridVerticalLinesVisible(false);
    style.setLegendFont(font);
    style.setLegendBorderColor(Color.WHITE);
    style.setLegendPosition(Styler.LegendPosition.OutsideE);
    style.setAxisTitleFont(font);
    style.setAxisTickLabelsFont(font);
    style.setXAxisTickMarkSpacingHint(TICK_SPACING);
    style.setXAxisTickLabelsFormattingFunction(BenchCharts::label);
    style.setYAxisDecimalPattern("0.0#");
    style.setMarkerSize(MARKER);
  }

  /** Sizes lie on powers of two, so the axis is that of the exponent, and says the power. */
  private static double exponent(double mib) {
    return Math.log(mib) / Math.log(2);
  }

  private static String label(double exponent) {
    if (exponent != Math.rint(exponent)) {
      return "";
    }
    double mib = Math.pow(2, exponent);
    return mib == Math.rint(mib)
        ? String.format(Locale.ROOT, "%.0f", mib)
        : String.format(Locale.ROOT, "%s", mib);
  }

  /** Adds a line; returns its highest point. */
  private static double add(
      XYChart chart,
      String direction,
      String path,
      List<BenchResult> line,
      Function<BenchResult, Rate> rate,
      ToDoubleFunction<Rate> value) {
    double[] x = line.stream().mapToDouble(r -> exponent(r.settings().chunkMib())).toArray();
    double[] y = line.stream().mapToDouble(r -> value.applyAsDouble(rate.apply(r))).toArray();
    boolean straight = path.equals("zero-copy");
    XYSeries series = chart.addSeries(direction + ", " + path, x, y);
    Color colour = direction.equals("put") ? PUT : GET;
    series.setLineColor(colour);
    series.setLineStyle(straight ? SOLID : DASHED);
    series.setMarker(straight ? SeriesMarkers.CIRCLE : SeriesMarkers.DIAMOND);
    series.setMarkerColor(colour);
    return Arrays.stream(y).max().orElse(0);
  }
}
