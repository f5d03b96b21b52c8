package ingle.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Values that {@link JsonReader} made, as the type that a handler wants.
 *
 * Unknown properties are ignored, null is a primitive's zero, an unknown enum name is null, and a single value stands
 * for a list of one where a list is wanted: the rules of AWS's own mapping.
 */
final class FromJson {
    private FromJson() {}

    /** Raises JsonException if the value does not fit, and whatever setters and constructors raise. */
    static Object convert(Object value, Type type) throws Exception {
        return convert(value, type, false);
    }

    private static Object convert(Object value, Type type, boolean event) throws Exception {
        Class<?> raw = Types.raw(type);
        if (raw == Optional.class) {
            return Optional.ofNullable(value == null ? null : convert(value, Types.argument(type, raw, 0), event));
        }
        if (raw == Void.class) {
            return null;
        }
        if (value == null) {
            return raw.isPrimitive() ? Array.get(Array.newInstance(raw, 1), 0) : null;
        }
        if (raw == Object.class) {
            return plain(value);
        }
        if (raw == byte[].class && value instanceof String) {
            return Base64.getDecoder().decode((String) value);
        }
        if (raw == char[].class && value instanceof String) {
            return ((String) value).toCharArray();
        }
        if (raw.isArray()) {
            return array(value, type, event);
        }
        if (Map.class.isAssignableFrom(raw)) {
            return map(value, type, raw, event);
        }
        if (Iterable.class.isAssignableFrom(raw) && (raw.isInterface() || Collection.class.isAssignableFrom(raw))) {
            return collection(value, type, raw, event);
        }
        if (value instanceof List && !isScalar(raw)) {
            return single((List<?>) value, type, event);
        }
        return value instanceof Map && !isScalar(raw) ? bean((Map<?, ?>) value, type) : scalar(value, raw, event);
    }

    /** A value of no particular type: what Java has for it. */
    private static Object plain(Object value) {
        if (value instanceof JsonReader.Decimal) {
            return ((JsonReader.Decimal) value).doubleValue();
        }
        if (value instanceof Map) {
            Map<String, Object> members = new LinkedHashMap<>();
            for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
                members.put((String) member.getKey(), plain(member.getValue()));
            }
            return members;
        }
        if (value instanceof List) {
            List<Object> items = new ArrayList<>();
            for (Object item : (List<?>) value) {
                items.add(plain(item));
            }
            return items;
        }
        return value;
    }

    private static boolean isScalar(Class<?> raw) {
        return raw.isPrimitive() || raw.isEnum() || Number.class.isAssignableFrom(raw) || raw == String.class
                || raw == CharSequence.class || raw == Boolean.class || raw == Character.class || raw == Date.class
                || raw == ByteBuffer.class;
    }

    // --- several values -----------------------------------------------------------------------------------------

    private static List<?> items(Object value) {
        return value instanceof List ? (List<?>) value : Collections.singletonList(value);
    }

    private static Object array(Object value, Type type, boolean event) throws Exception {
        List<?> items = items(value);
        Type item = type instanceof GenericArrayType
                ? ((GenericArrayType) type).getGenericComponentType()
                : ((Class<?>) type).getComponentType();
        Object array = Array.newInstance(Types.raw(item), items.size());
        for (int index = 0; index < items.size(); index++) {
            Array.set(array, index, convert(items.get(index), item, event));
        }
        return array;
    }

    @SuppressWarnings("unchecked")
    private static Object collection(Object value, Type type, Class<?> raw, boolean event) throws Exception {
        Collection<Object> result = (Collection<Object>) instance(raw, ArrayList.class, LinkedHashSet.class,
                LinkedList.class, ArrayDeque.class, TreeSet.class);
        Type item = Types.argument(type, Iterable.class, 0);
        for (Object one : items(value)) {
            result.add(convert(one, item, event));
        }
        return result;
    }

    @SuppressWarnings("unchecked")
    private static Object map(Object value, Type type, Class<?> raw, boolean event) throws Exception {
        if (!(value instanceof Map)) {
            throw mismatch(value, type);
        }
        Map<Object, Object> result =
                (Map<Object, Object>) instance(raw, LinkedHashMap.class, TreeMap.class, ConcurrentHashMap.class);
        Type key = Types.argument(type, Map.class, 0);
        Type item = Types.argument(type, Map.class, 1);
        for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
            result.put(convert(member.getKey(), key, event), convert(member.getValue(), item, event));
        }
        return result;
    }

    /** A new instance of {@code raw}: of the first candidate that is one, if it is abstract. */
    private static Object instance(Class<?> raw, Class<?>... candidates) throws Exception {
        if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) {
            for (Class<?> candidate : candidates) {
                if (raw.isAssignableFrom(candidate)) {
                    return candidate.getDeclaredConstructor().newInstance();
                }
            }
        }
        return Bean.of(raw).create();
    }

    /** An array where one value is wanted: its only item, or null for an empty one. */
    private static Object single(List<?> items, Type type, boolean event) throws Exception {
        if (items.size() > 1) {
            throw mismatch(items, type);
        }
        return items.isEmpty() ? null : convert(items.get(0), type, event);
    }

    private static Object bean(Map<?, ?> members, Type type) throws Exception {
        Bean bean = Bean.of(Types.raw(type));
        Map<TypeVariable<?>, Type> bindings = Types.bindings(type);
        if (bean.isRecord()) {
            return record(members, bean, bindings);
        }
        Object result = bean.create();
        for (Map.Entry<?, ?> member : members.entrySet()) {
            Bean.Property property = bean.named((String) member.getKey());
            if (property != null && property.writable(bean.event)) {
                Type wanted = Types.resolve(property.writtenType(), bindings);
                property.set(result, within(property.name, bean, member.getValue(), wanted));
            }
        }
        return result;
    }

    private static Object record(Map<?, ?> members, Bean bean, Map<TypeVariable<?>, Type> bindings) throws Exception {
        Method[] components = bean.recordComponents();
        Object[] values = new Object[components.length];
        for (int index = 0; index < values.length; index++) {
            String name = components[index].getName();
            Type wanted = Types.resolve(components[index].getGenericReturnType(), bindings);
            values[index] = within(name, bean, members.get(name), wanted);
        }
        return bean.record(values);
    }

    /** The value of a property; a message about what does not fit tells where it was. */
    private static Object within(String name, Bean bean, Object value, Type wanted) throws Exception {
        try {
            return convert(value, wanted, bean.event);
        } catch (JsonException problem) {
            throw new JsonException(problem.getMessage() + " (through reference chain: [\"" + name + "\"])");
        }
    }

    // --- one value ----------------------------------------------------------------------------------------------

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object scalar(Object value, Class<?> raw, boolean event) throws Exception {
        if (value instanceof List && ((List<?>) value).size() == 1) {
            return convert(((List<?>) value).get(0), raw, event);
        }
        if (value instanceof Map || value instanceof List) {
            throw mismatch(value, raw);
        }
        String text = value.toString();
        if (raw.isAssignableFrom(String.class) && raw != Object.class) {
            return text;
        }
        if (raw.isPrimitive() || Number.class.isAssignableFrom(raw) || raw == Boolean.class || raw == Character.class) {
            return basic(value, text, raw);
        }
        if (raw == Date.class) {
            return date(value, event);
        }
        if (raw == ByteBuffer.class) {
            return ByteBuffer.wrap(Base64.getDecoder().decode(text));
        }
        if (raw.isEnum()) {
            return constant((Class) raw, value);
        }
        if (text.isEmpty()) {
            return null;
        }
        return made(value, text, raw);
    }

    private static Object basic(Object value, String text, Class<?> raw) throws JsonException {
        try {
            if (raw == boolean.class || raw == Boolean.class) {
                return truth(value, raw);
            }
            if (raw == char.class || raw == Character.class) {
                if (text.length() != 1) {
                    throw mismatch(value, raw);
                }
                return text.charAt(0);
            }
            if (text.isEmpty()) {
                return raw.isPrimitive() ? Array.get(Array.newInstance(raw, 1), 0) : null;
            }
            if (value instanceof Boolean) {
                throw mismatch(value, raw);
            }
            return number(new BigDecimal(text.trim()), raw);
        } catch (NumberFormatException | ArithmeticException problem) {
            throw mismatch(value, raw);
        }
    }

    private static Object truth(Object value, Class<?> raw) throws JsonException {
        if (value instanceof Boolean) {
            return value;
        }
        if (value instanceof Number) {
            return ((Number) value).doubleValue() != 0;
        }
        if (value.equals("true") || value.equals("True") || value.equals("TRUE")) {
            return true;
        }
        if (value.equals("false") || value.equals("False") || value.equals("FALSE") || value.equals("")) {
            return false;
        }
        throw mismatch(value, raw);
    }

    /** Fractions are cut off where a whole number is wanted; one that is too large does not fit. */
    private static Object number(BigDecimal value, Class<?> raw) throws JsonException {
        if (raw == double.class || raw == Double.class) {
            return value.doubleValue();
        }
        if (raw == float.class || raw == Float.class) {
            return value.floatValue();
        }
        if (raw == BigDecimal.class) {
            return value;
        }
        BigInteger whole = value.toBigInteger();
        if (raw == int.class || raw == Integer.class) {
            return whole.intValueExact();
        }
        if (raw == long.class || raw == Long.class) {
            return whole.longValueExact();
        }
        if (raw == short.class || raw == Short.class) {
            return whole.shortValueExact();
        }
        if (raw == byte.class || raw == Byte.class) {
            return whole.byteValueExact();
        }
        if (raw == BigInteger.class) {
            return whole;
        }
        if (raw == Number.class) {
            return value.scale() > 0 ? (Number) value.doubleValue() : whole.bitLength() < 32 ? (Number) whole.intValue()
                    : whole.bitLength() < 64 ? (Number) whole.longValue() : whole;
        }
        throw mismatch(value, raw);
    }

    /** Numbers are milliseconds, but seconds in AWS's events; texts are ISO 8601. */
    private static Date date(Object value, boolean event) throws JsonException {
        if (value instanceof Number) {
            double number = ((Number) value).doubleValue();
            return new Date(event ? Math.round(number * 1000) : ((Number) value).longValue());
        }
        String text = value.toString();
        try {
            if (text.isEmpty()) {
                return null;
            }
            if (text.length() == 10) {
                return Date.from(Instant.parse(text + "T00:00:00Z"));
            }
            // "+0000" as well as "+00:00".
            String zoned = text.replaceFirst("([+-]\\d\\d)(\\d\\d)$", "$1:$2");
            return Date.from(OffsetDateTime.parse(zoned).toInstant());
        } catch (java.time.format.DateTimeParseException problem) {
            throw mismatch(value, Date.class);
        }
    }

    private static <E extends Enum<E>> E constant(Class<E> raw, Object value) {
        if (value instanceof Integer) {
            E[] constants = raw.getEnumConstants();
            int index = (Integer) value;
            return index >= 0 && index < constants.length ? constants[index] : null;
        }
        try {
            return Enum.valueOf(raw, value.toString());
        } catch (IllegalArgumentException unknown) {
            return null;
        }
    }

    /** A type that knows how to be made from a text or a number: URI, UUID, Instant, LocalDate and their like. */
    private static Object made(Object value, String text, Class<?> raw) throws Exception {
        for (String name : new String[] {"parse", "fromString", "valueOf"}) {
            for (Class<?> argument : new Class<?>[] {CharSequence.class, String.class}) {
                Method method = method(raw, name, argument);
                if (method != null) {
                    return Bean.unwrapped(() -> method.invoke(null, text));
                }
            }
        }
        for (Constructor<?> constructor : raw.getConstructors()) {
            Class<?>[] arguments = constructor.getParameterTypes();
            if (arguments.length == 1 && (arguments[0] == String.class && value instanceof String
                    || arguments[0].isPrimitive() && value instanceof Number)) {
                Object argument = arguments[0] == String.class ? text : basic(value, text, arguments[0]);
                return Bean.unwrapped(() -> constructor.newInstance(argument));
            }
        }
        throw mismatch(value, raw);
    }

    private static Method method(Class<?> raw, String name, Class<?> argument) {
        try {
            Method method = raw.getMethod(name, argument);
            return Modifier.isStatic(method.getModifiers()) && raw.isAssignableFrom(method.getReturnType()) ? method : null;
        } catch (NoSuchMethodException absent) {
            return null;
        }
    }

    private static JsonException mismatch(Object value, Type type) {
        String token = value instanceof Map ? "Object value (token `JsonToken.START_OBJECT`)"
                : value instanceof List ? "Array value (token `JsonToken.START_ARRAY`)"
                : value instanceof String ? "String value"
                : value instanceof Boolean ? "Boolean value"
                : "Number value";
        return new JsonException("Cannot deserialize value of type `" + Types.raw(type).getTypeName() + "` from " + token);
    }
}
