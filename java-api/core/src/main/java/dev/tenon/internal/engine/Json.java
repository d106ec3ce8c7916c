package dev.tenon.internal.engine;

import dev.tenon.EngineFormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as maps, lists, strings, longs, doubles, booleans and null (RFC 8259). Our own, since the core has no dependencies
 * and needs no more than this for headers that it wrote itself.
 */
public final class Json {
    private static final int MAX_DEPTH = 200;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    // ---- writing ----

    /** The text of maps, iterables, strings, numbers, booleans and null. */
    public static String write(Object value) {
        StringBuilder s = new StringBuilder();
        write(value, s);
        return s.toString();
    }

    private static void write(Object v, StringBuilder s) {
        switch (v) {
            case null -> s.append("null");
            case Map<?, ?> m -> {
                s.append('{');
                String comma = "";
                for (Map.Entry<?, ?> e : m.entrySet()) {
                    s.append(comma);
                    quote(e.getKey().toString(), s);
                    s.append(':');
                    write(e.getValue(), s);
                    comma = ",";
                }
                s.append('}');
            }
            case Iterable<?> l -> {
                s.append('[');
                String comma = "";
                for (Object o : l) {
                    s.append(comma);
                    write(o, s);
                    comma = ",";
                }
                s.append(']');
            }
            case Double d when d.isNaN() || d.isInfinite() -> quote(d.toString(), s);
            case Float f when f.isNaN() || f.isInfinite() -> quote(f.toString(), s);
            case Number n -> s.append(n);
            case Boolean b -> s.append(b);
            default -> quote(v.toString(), s);
        }
    }

    private static void quote(String v, StringBuilder s) {
        s.append('"');
        for (int i = 0; i < v.length(); i++) {
            char c = v.charAt(i);
            switch (c) {
                case '"' -> s.append("\\\"");
                case '\\' -> s.append("\\\\");
                case '\n' -> s.append("\\n");
                default -> {
                    if (c < 0x20 || Character.isSurrogate(c) || c == 0x7f) {
                        s.append(String.format("\\u%04x", (int) c));
                    } else {
                        s.append(c);
                    }
                }
            }
        }
        s.append('"');
    }

    // ---- reading ----

    /** The value of a text. @throws EngineFormatException if it is not JSON */
    public static Object read(String text) {
        Json j = new Json(text);
        Object v = j.value(0);
        j.space();
        if (j.at != text.length()) {
            throw j.error("nothing more");
        }
        return v;
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw error("nesting of at most " + MAX_DEPTH);
        }
        space();
        char c = peek();
        return switch (c) {
            case '{' -> object(depth);
            case '[' -> array(depth);
            case '"' -> string();
            case 't' -> word("true", Boolean.TRUE);
            case 'f' -> word("false", Boolean.FALSE);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> m = new LinkedHashMap<>();
        at++;
        space();
        if (peek() == '}') {
            at++;
            return m;
        }
        while (true) {
            space();
            String key = string();
            space();
            expect(':');
            if (m.put(key, value(depth + 1)) != null) {
                throw error("no second key '" + key + "'");
            }
            space();
            if (peek() == '}') {
                at++;
                return m;
            }
            expect(',');
        }
    }

    private List<Object> array(int depth) {
        List<Object> l = new ArrayList<>();
        at++;
        space();
        if (peek() == ']') {
            at++;
            return l;
        }
        while (true) {
            l.add(value(depth + 1));
            space();
            if (peek() == ']') {
                at++;
                return l;
            }
            expect(',');
        }
    }

    private String string() {
        expect('"');
        StringBuilder s = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c != '\\') {
                s.append(c);
                continue;
            }
            char e = peek();
            at++;
            switch (e) {
                case 'n' -> s.append('\n');
                case 't' -> s.append('\t');
                case 'r' -> s.append('\r');
                case 'b' -> s.append('\b');
                case 'f' -> s.append('\f');
                case '"', '\\', '/' -> s.append(e);
                case 'u' -> {
                    if (at + 4 > text.length()) {
                        throw error("four hexadecimal digits");
                    }
                    try {
                        s.append((char) Integer.parseInt(text, at, at + 4, 16));
                    } catch (NumberFormatException x) {
                        throw error("four hexadecimal digits");
                    }
                    at += 4;
                }
                default -> throw error("an escape");
            }
        }
        at++;
        return s.toString();
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "+-0123456789.eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String n = text.substring(from, at);
        try {
            return n.matches("-?\\d+") ? (Object) Long.valueOf(n) : (Object) Double.valueOf(n);
        } catch (NumberFormatException e) {
            at = from;
            throw error("a value");
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw error("a value");
        }
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw error("more text");
        }
        return text.charAt(at);
    }

    private void expect(char c) {
        if (peek() != c) {
            throw error("'" + c + "'");
        }
        at++;
    }

    private EngineFormatException error(String expected) {
        return new EngineFormatException("JSON at character " + at + ": expected " + expected);
    }
}
