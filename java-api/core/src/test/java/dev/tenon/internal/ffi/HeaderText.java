package dev.tenon.internal.ffi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What tenon.h declares, read from its text. */
final class HeaderText {
    /** A field as the header has it; {@code count} is 0 for a field that is no array. */
    record Field(String type, String name, int count) {}

    private final String text;

    private HeaderText(String text) {
        this.text = text;
    }

    static HeaderText read() throws IOException {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("native/include/tenon/tenon.h"))) {
            folder = folder.getParent();
        }
        String source = Files.readString(folder.resolve("native/include/tenon/tenon.h"));
        return new HeaderText(source.replaceAll("(?s)/\\*.*?\\*/", " "));
    }

    TreeSet<String> functions() {
        TreeSet<String> names = new TreeSet<>();
        Matcher m = Pattern.compile("TENON_API[\\w\\s*]*?(tenon_\\w+)\\(").matcher(text);
        while (m.find()) {
            names.add(m.group(1));
        }
        return names;
    }

    Map<String, Integer> constants() {
        Map<String, Integer> values = new LinkedHashMap<>();
        Matcher defines =
                Pattern.compile("#define TENON_(\\w+) \\(?(-?\\d+)\\)?\\s").matcher(text);
        while (defines.find()) {
            values.put(defines.group(1), Integer.valueOf(defines.group(2)));
        }
        Matcher enums = Pattern.compile("enum \\{([^}]*)}").matcher(text);
        while (enums.find()) {
            Matcher m = Pattern.compile("TENON_(\\w+)\\s*=\\s*(-?\\d+)").matcher(enums.group(1));
            while (m.find()) {
                values.put(m.group(1), Integer.valueOf(m.group(2)));
            }
        }
        return values;
    }

    /** Struct name without prefix to its fields, in order. */
    Map<String, List<Field>> structs() {
        Map<String, Integer> constants = constants();
        Map<String, List<Field>> structs = new LinkedHashMap<>();
        Matcher m = Pattern.compile("typedef struct tenon_(\\w+) \\{([^}]*)}").matcher(text);
        while (m.find()) {
            List<Field> fields = new ArrayList<>();
            for (String declaration : m.group(2).split(";")) {
                if (declaration.isBlank()) {
                    continue;
                }
                Matcher f = Pattern.compile("(.+?[\\s*])(\\w+)(?:\\[(\\w+)])?")
                        .matcher(declaration.strip().replaceAll("\\s+", " "));
                if (!f.matches()) {
                    throw new IllegalStateException("cannot read field: " + declaration);
                }
                fields.add(new Field(
                        f.group(1).strip(), f.group(2), f.group(3) == null ? 0 : count(f.group(3), constants)));
            }
            structs.put(m.group(1), fields);
        }
        return structs;
    }

    private static int count(String text, Map<String, Integer> constants) {
        return text.startsWith("TENON_") ? constants.get(text.substring("TENON_".length())) : Integer.parseInt(text);
    }
}
