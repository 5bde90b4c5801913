/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.cli.matrix;

import io.lmcache4j.cli.matrix.MatrixResult.Pair;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import javax.imageio.ImageIO;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.style.HeatMapStyler;

/** All heat maps on one sheet, producers downwards and consumers to the right. */
final class MatrixCharts {

  static {
    // Nothing is shown on a screen, and there need not be one.
    System.setProperty("java.awt.headless", "true");
  }

  private static final int COLUMNS = 4;
  private static final int WIDTH = 360;
  private static final int HEIGHT = 330;

  /** Pixels for each point, for screens of high density. */
  private static final int SCALE = 2;

  private static final Color LOW = new Color(0xF3, 0xF7, 0xFB);
  private static final Color HIGH = new Color(0x6A, 0xA5, 0xDA);
  private static final Color INK = new Color(0x33, 0x33, 0x33);

  private MatrixCharts() {}

  static void draw(List<Pair> pairs, Path file) throws IOException {
    List<Figure> figures = Figure.ALL.stream().filter(figure -> figure.largest(pairs) > 0).toList();
    int rows = (figures.size() + COLUMNS - 1) / COLUMNS;
    BufferedImage sheet =
        new BufferedImage(
            SCALE * COLUMNS * WIDTH, SCALE * rows * HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    try {
      graphics.setColor(Color.WHITE);
      graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
      for (int i = 0; i < figures.size(); i++) {
        Graphics2D place =
            (Graphics2D)
                graphics.create(
                    SCALE * (i % COLUMNS) * WIDTH,
                    SCALE * (i / COLUMNS) * HEIGHT,
                    SCALE * WIDTH,
                    SCALE * HEIGHT);
        place.scale(SCALE, SCALE);
        map(figures.get(i), pairs).paint(place, WIDTH, HEIGHT);
        place.dispose();
      }
    } finally {
      graphics.dispose();
    }
    ImageIO.write(sheet, "png", file.toFile());
  }

  private static HeatMapChart map(Figure figure, List<Pair> pairs) {
    HeatMapChart chart =
        new HeatMapChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(figure.title())
            .xAxisTitle("consumer's tensor-parallel size")
            .yAxisTitle("producer's")
            .build();
    style(chart.getStyler());
    chart.getStyler().setMin(0);
    chart.getStyler().setMax(figure.largest(pairs));
    chart.getStyler().setHeatMapDecimalValueFormatter(figure::text);
    List<Integer> decode = pairs.stream().map(Pair::decodeTp).distinct().sorted().toList();
    // The axis counts upwards, a table's rows downwards.
    List<Integer> prefill =
        pairs.stream().map(Pair::prefillTp).distinct().sorted(Comparator.reverseOrder()).toList();
    List<Number[]> cells = new ArrayList<>();
    for (Pair pair : pairs) {
      Double value = figure.of(pair);
      if (value != null) {
        cells.add(
            new Number[] {
              decode.indexOf(pair.decodeTp()), prefill.indexOf(pair.prefillTp()), value
            });
      }
    }
    chart.addSeries(figure.title(), decode, prefill, cells);
    return chart;
  }

  private static void style(HeatMapStyler style) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    style.setRangeColors(new Color[] {LOW, HIGH});
    style.setShowValue(true);
    style.setValueFont(font);
    style.setValueFontColor(INK);
    style.setDrawBorder(true);
    style.setLegendVisible(false);
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartFontColor(INK);
    style.setChartTitleFont(font.deriveFont(Font.BOLD, 13f));
    style.setChartTitleBoxVisible(false);
    style.setPlotBackgroundColor(Color.WHITE);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesVisible(false);
    style.setAxisTitleFont(font);
    style.setAxisTickLabelsFont(font);
  }
}
