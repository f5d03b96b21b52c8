package ingle.runtime;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What handlers return, as values that {@link JsonWriter} writes. Properties that are null are written. */
final class ToJson {
    private static final int MAX_DEPTH = 1000;

    private ToJson() {}

    /** Raises JsonException for a value without end, and whatever getters raise. */
    static Object convert(Object value) throws Exception {
        return convert(value, 0);
    }

    private static Object convert(Object value, int depth) throws Exception {
        if (depth > MAX_DEPTH) {
            throw new JsonException("Infinite recursion (document nesting depth exceeds " + MAX_DEPTH + ")");
        }
        if (value == null || value instanceof Number || value instanceof Boolean || isText(value)) {
            return value instanceof Enum ? ((Enum<?>) value).name() : value;
        }
        if (value instanceof Map) {
            return map((Map<?, ?>) value, depth);
        }
        if (value instanceof Iterable) {
            return list((Iterable<?>) value, depth);
        }
        if (value.getClass().isArray()) {
            return array(value, depth);
        }
        if (value instanceof Optional) {
            return convert(((Optional<?>) value).orElse(null), depth + 1);
        }
        if (value instanceof Date) {
            return ((Date) value).getTime();
        }
        if (value instanceof Calendar) {
            return ((Calendar) value).getTimeInMillis();
        }
        if (value instanceof ByteBuffer) {
            ByteBuffer view = ((ByteBuffer) value).duplicate();
            byte[] content = new byte[view.remaining()];
            view.get(content);
            return Base64.getEncoder().encodeToString(content);
        }
        return bean(value, depth);
    }

    /** Whether a value's text stands for it. Names rather than classes: most are never loaded. */
    private static boolean isText(Object value) {
        if (value instanceof CharSequence || value instanceof Character || value instanceof Enum) {
            return true;
        }
        String name = value.getClass().getName();
        return name.startsWith("java.time.") || name.startsWith("org.joda.time.") || name.equals("java.util.UUID")
                || name.equals("java.net.URI") || name.equals("java.net.URL") || name.equals("java.io.File")
                || name.equals("java.util.Locale");
    }

    private static Object map(Map<?, ?> members, int depth) throws Exception {
        Map<String, Object> result = new LinkedHashMap<>();
        for (Map.Entry<?, ?> member : members.entrySet()) {
            result.put(String.valueOf(convert(member.getKey(), depth + 1)), convert(member.getValue(), depth + 1));
        }
        return result;
    }

    private static Object list(Iterable<?> items, int depth) throws Exception {
        List<Object> result = new ArrayList<>();
        for (Object item : items) {
            result.add(convert(item, depth + 1));
        }
        return result;
    }

    private static Object array(Object items, int depth) throws Exception {
        if (items instanceof byte[]) {
            return Base64.getEncoder().encodeToString((byte[]) items);
        }
        if (items instanceof char[]) {
            return new String((char[]) items);
        }
        List<Object> result = new ArrayList<>();
        for (int index = 0; index < Array.getLength(items); index++) {
            result.add(convert(Array.get(items, index), depth + 1));
        }
        return result;
    }

    private static Object bean(Object value, int depth) throws Exception {
        Map<String, Object> result = new LinkedHashMap<>();
        for (Bean.Property property : Bean.of(value.getClass()).properties()) {
            if (property.readable()) {
                result.put(property.name, convert(property.get(value), depth + 1));
            }
        }
        return result;
    }
}
