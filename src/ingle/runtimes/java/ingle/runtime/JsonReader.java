package ingle.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text to Java values: LinkedHashMap, ArrayList, String, Boolean, null, and for numbers the smallest of Integer,
 * Long and BigInteger, or a {@link Decimal}, which keeps its digits for those who ask for a BigDecimal.
 */
final class JsonReader {
    private static final int MAX_DEPTH = 1000;

    /** A number with a fraction or an exponent. */
    static final class Decimal extends Number {
        private static final long serialVersionUID = 1L;
        private final String digits;

        Decimal(String digits) {
            this.digits = digits;
        }

        BigDecimal exact() {
            return new BigDecimal(digits);
        }

        @Override
        public int intValue() {
            return (int) doubleValue();
        }

        @Override
        public long longValue() {
            return (long) doubleValue();
        }

        @Override
        public float floatValue() {
            return Float.parseFloat(digits);
        }

        @Override
        public double doubleValue() {
            return Double.parseDouble(digits);
        }

        @Override
        public String toString() {
            return digits;
        }
    }

    private final String text;
    private int position;
    private int depth;

    private JsonReader(String text) {
        this.text = text;
    }

    /** Raises JsonException. */
    static Object read(String text) throws JsonException {
        JsonReader reader = new JsonReader(text);
        Object value = reader.value();
        reader.space();
        if (reader.position < text.length()) {
            throw reader.unexpected();
        }
        return value;
    }

    private Object value() throws JsonException {
        space();
        if (position >= text.length()) {
            throw new JsonException("No content to map due to end-of-input");
        }
        char first = text.charAt(position);
        switch (first) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return literal("true", Boolean.TRUE);
            case 'f':
                return literal("false", Boolean.FALSE);
            case 'n':
                return literal("null", null);
            default:
                if (first == '-' || first >= '0' && first <= '9') {
                    return number();
                }
                throw unexpected();
        }
    }

    private Map<String, Object> object() throws JsonException {
        Map<String, Object> members = new LinkedHashMap<>();
        enter();
        if (next() == '}') {
            return leave(members);
        }
        while (true) {
            if (next() != '"') {
                throw unexpected();
            }
            String name = string();
            if (next() != ':') {
                throw unexpected();
            }
            position++;
            members.put(name, value());
            if (more('}')) {
                continue;
            }
            return leave(members);
        }
    }

    private List<Object> array() throws JsonException {
        List<Object> items = new ArrayList<>();
        enter();
        if (next() == ']') {
            return leave(items);
        }
        do {
            items.add(value());
        } while (more(']'));
        return leave(items);
    }

    private void enter() throws JsonException {
        if (++depth > MAX_DEPTH) {
            throw new JsonException("Document nesting depth (" + depth + ") exceeds the maximum allowed (" + MAX_DEPTH + ")");
        }
        position++;
    }

    /** Past the bracket that closes what was entered. */
    private <T> T leave(T value) {
        depth--;
        position++;
        return value;
    }

    /** Whether a comma follows, which is passed; otherwise {@code end} must stand here. */
    private boolean more(char end) throws JsonException {
        char found = next();
        if (found == ',') {
            position++;
            return true;
        }
        if (found != end) {
            throw unexpected();
        }
        return false;
    }

    /** The next character that is not space, which is not passed. */
    private char next() throws JsonException {
        space();
        if (position >= text.length()) {
            throw unexpected();
        }
        return text.charAt(position);
    }

    private void space() {
        while (position < text.length()) {
            char found = text.charAt(position);
            if (found != ' ' && found != '\n' && found != '\r' && found != '\t') {
                return;
            }
            position++;
        }
    }

    private Object literal(String word, Object value) throws JsonException {
        if (!text.startsWith(word, position)) {
            throw unexpected();
        }
        position += word.length();
        return value;
    }

    private String string() throws JsonException {
        int start = ++position;
        int end = position;
        while (end < text.length() && text.charAt(end) != '"' && text.charAt(end) != '\\' && text.charAt(end) >= ' ') {
            end++;
        }
        if (end < text.length() && text.charAt(end) == '"') {
            position = end + 1;
            return text.substring(start, end);
        }
        StringBuilder content = new StringBuilder(end - start + 16).append(text, start, end);
        position = end;
        while (true) {
            if (position >= text.length() || text.charAt(position) < ' ') {
                throw unexpected();
            }
            char found = text.charAt(position++);
            if (found == '"') {
                return content.toString();
            }
            content.append(found == '\\' ? escaped() : found);
        }
    }

    private char escaped() throws JsonException {
        if (position >= text.length()) {
            throw unexpected();
        }
        char letter = text.charAt(position);
        int simple = "\"\\/bfnrt".indexOf(letter);
        if (simple >= 0) {
            position++;
            return "\"\\/\b\f\n\r\t".charAt(simple);
        }
        if (letter != 'u' || position + 5 > text.length()) {
            throw unexpected();
        }
        int code = 0;
        for (int index = position + 1; index < position + 5; index++) {
            int digit = Character.digit(text.charAt(index), 16);
            if (digit < 0) {
                throw unexpected();
            }
            code = code * 16 + digit;
        }
        position += 5;
        return (char) code;
    }

    private Number number() throws JsonException {
        int start = position;
        boolean whole = true;
        if (text.charAt(position) == '-') {
            position++;
        }
        boolean zero = position < text.length() && text.charAt(position) == '0';
        if (digits() > 1 && zero) {
            throw new JsonException("Invalid numeric value: Leading zeroes not allowed");
        }
        if (position < text.length() && text.charAt(position) == '.') {
            whole = false;
            position++;
            digits();
        }
        if (position < text.length() && (text.charAt(position) == 'e' || text.charAt(position) == 'E')) {
            whole = false;
            position++;
            if (position < text.length() && (text.charAt(position) == '+' || text.charAt(position) == '-')) {
                position++;
            }
            digits();
        }
        String digits = text.substring(start, position);
        return whole ? integer(digits) : new Decimal(digits);
    }

    /** How many digits were passed, at least one. */
    private int digits() throws JsonException {
        int start = position;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            position++;
        }
        if (position == start) {
            throw unexpected();
        }
        return position - start;
    }

    private static Number integer(String digits) {
        if (digits.length() > 18) {
            BigInteger value = new BigInteger(digits);
            return value.bitLength() < 64 ? (Number) value.longValue() : value;
        }
        long value = Long.parseLong(digits);
        return value == (int) value ? (Number) (int) value : (Number) value;
    }

    private JsonException unexpected() {
        if (position >= text.length()) {
            return new JsonException("Unexpected end-of-input at column " + (position + 1));
        }
        char found = text.charAt(position);
        return new JsonException("Unexpected character ('" + found + "' (code " + (int) found + ")) at column " + (position + 1));
    }
}
