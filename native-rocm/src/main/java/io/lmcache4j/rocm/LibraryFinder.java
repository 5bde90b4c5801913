/* SPDX-License-Identifier: Apache-2.0 */
package io.lmcache4j.rocm;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the files that may be the runtime's library, best first, by looking at the file system
 * alone. Nothing native is touched until a file is there: on a JVM without native access even
 * loading JNA is a warning on standard error, which a machine without a GPU must not see.
 *
 * <p>Order: the directories that variables name, the vendor's own, those of Python wheels, and
 * those of the dynamic linker.
 */
final class LibraryFinder {

  private static final List<String> LINKER_DIRECTORIES =
      List.of(
          "/usr/local/lib",
          "/lib/x86_64-linux-gnu",
          "/usr/lib/x86_64-linux-gnu",
          "/lib/aarch64-linux-gnu",
          "/usr/lib/aarch64-linux-gnu",
          "/lib64",
          "/usr/lib64",
          "/lib",
          "/usr/lib");

  private static final List<String> SITE_PACKAGES =
      List.of("/lib/python3*/site-packages", "/lib/python3*/dist-packages");

  private static final List<String> PYTHON_PREFIXES =
      List.of("/opt/venv", "/usr/local", "/usr", "/opt/conda");

  private final Path root;
  private final Map<String, String> environment;

  /**
   * Creates a finder.
   *
   * @param root the directory that absolute paths are below; {@code /} but in tests
   * @param environment the process's variables
   */
  LibraryFinder(Path root, Map<String, String> environment) {
    this.root = root;
    this.environment = environment;
  }

  /** All files that may be the library, each real file once. */
  List<Path> find(Dialect dialect) {
    Map<Path, Path> byRealFile = new LinkedHashMap<>();
    for (Path directory : directories(dialect)) {
      Path best = newest(directory, dialect.fileName());
      if (best != null) {
        byRealFile.putIfAbsent(real(best), best);
      }
    }
    return new ArrayList<>(byRealFile.values());
  }

  private List<Path> directories(Dialect dialect) {
    List<Path> all = new ArrayList<>();
    for (String variable : dialect.variables()) {
      String value = environment.get(variable);
      if (value != null && !value.isEmpty()) {
        add(all, value + "/lib");
        add(all, value + "/lib64");
      }
    }
    dialect.directories().forEach(pattern -> add(all, pattern));
    List<String> prefixes = new ArrayList<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String value = environment.get(variable);
      if (value != null && !value.isEmpty()) {
        prefixes.add(value);
      }
    }
    prefixes.addAll(PYTHON_PREFIXES);
    for (String prefix : prefixes) {
      for (String site : SITE_PACKAGES) {
        dialect.pipDirectories().forEach(lib -> add(all, prefix + site + "/" + lib));
      }
    }
    String searched = environment.get("LD_LIBRARY_PATH");
    if (searched != null) {
      for (String directory : searched.split(":", -1)) {
        // The linker takes an empty entry for the working directory; a library found there is
        // rather somebody's trap.
        if (!directory.isEmpty()) {
          add(all, directory);
        }
      }
    }
    linkerConfiguration().forEach(directory -> add(all, directory));
    LINKER_DIRECTORIES.forEach(directory -> add(all, directory));
    return all;
  }

  /** What {@code /etc/ld.so.conf.d} names, one directory a line. */
  private List<String> linkerConfiguration() {
    List<String> directories = new ArrayList<>();
    for (Path file : list(under("/etc/ld.so.conf.d"), Pattern.compile(".*\\.conf"))) {
      for (String line : lines(file)) {
        if (line.startsWith("/")) {
          directories.add(line.strip());
        }
      }
    }
    return directories;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException | RuntimeException e) {
      // Unreadable, or no text: it names nothing that could be used.
      return List.of();
    }
  }

  /** Adds the directories that a pattern stands for, the highest version first. */
  private void add(List<Path> all, String pattern) {
    List<Path> found = List.of(root);
    for (String part : pattern.split("/", -1)) {
      if (part.isEmpty()) {
        continue;
      }
      List<Path> next = new ArrayList<>();
      for (Path directory : found) {
        if (part.contains("*")) {
          String regex = Pattern.quote(part).replace("*", "\\E.*\\Q");
          next.addAll(list(directory, Pattern.compile(regex)));
        } else {
          next.add(directory.resolve(part));
        }
      }
      found = next;
    }
    all.addAll(found);
  }

  /** The entries whose name fits, the highest number first. */
  private static List<Path> list(Path directory, Pattern name) {
    List<Path> entries = new ArrayList<>();
    if (!Files.isDirectory(directory)) {
      return entries;
    }
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      for (Path entry : stream) {
        if (name.matcher(entry.getFileName().toString()).matches()) {
          entries.add(entry);
        }
      }
    } catch (IOException | RuntimeException e) {
      return List.of();
    }
    entries.sort(
        Comparator.comparing((Path path) -> path.getFileName().toString(), BY_NUMBERS).reversed());
    return entries;
  }

  /** The plain name if it is there, else the one with the highest major version. */
  private static @Nullable Path newest(Path directory, Pattern fileName) {
    Path best = null;
    int bestMajor = -1;
    for (Path file : list(directory, fileName)) {
      Matcher matcher = fileName.matcher(file.getFileName().toString());
      if (!matcher.matches() || !Files.isRegularFile(file)) {
        continue;
      }
      String major = matcher.group(1);
      int number = major == null ? Integer.MAX_VALUE : parse(major);
      if (number > bestMajor) {
        best = file;
        bestMajor = number;
      }
    }
    return best;
  }

  private static int parse(String digits) {
    try {
      return Integer.parseInt(digits);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** {@code rocm-6.10} behind {@code rocm-6.9}: runs of digits are compared as numbers. */
  private static final Comparator<String> BY_NUMBERS =
      (a, b) -> {
        String[] left = a.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)", -1);
        String[] right = b.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)", -1);
        for (int i = 0; i < Math.min(left.length, right.length); i++) {
          int l = parse(left[i]);
          int r = parse(right[i]);
          int order = l >= 0 && r >= 0 ? Integer.compare(l, r) : left[i].compareTo(right[i]);
          if (order != 0) {
            return order;
          }
        }
        return Integer.compare(left.length, right.length);
      };

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file;
    }
  }

  private Path under(String absolute) {
    return root.resolve(absolute.substring(1));
  }
}
