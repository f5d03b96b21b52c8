package ingle.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;

/** What the type variables of generic classes stand for, seen from a class that extends or implements them. */
final class Types {
    private Types() {}

    /** A parameterised type whose arguments are known. */
    private static final class Resolved implements ParameterizedType {
        private final Class<?> raw;
        private final Type[] arguments;

        Resolved(Class<?> raw, Type[] arguments) {
            this.raw = raw;
            this.arguments = arguments;
        }

        @Override
        public Type[] getActualTypeArguments() {
            return arguments;
        }

        @Override
        public Type getRawType() {
            return raw;
        }

        @Override
        public Type getOwnerType() {
            return null;
        }
    }

    /** The variables of {@code type} and of all that it extends and implements. */
    static Map<TypeVariable<?>, Type> bindings(Type type) {
        Map<TypeVariable<?>, Type> bindings = new HashMap<>();
        bind(type, bindings);
        return bindings;
    }

    private static void bind(Type type, Map<TypeVariable<?>, Type> bindings) {
        if (type == null) {
            return;
        }
        Class<?> raw = raw(type);
        if (type instanceof ParameterizedType) {
            TypeVariable<?>[] variables = raw.getTypeParameters();
            Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
            for (int index = 0; index < variables.length; index++) {
                bindings.put(variables[index], resolve(arguments[index], bindings));
            }
        }
        bind(raw.getGenericSuperclass(), bindings);
        for (Type implemented : raw.getGenericInterfaces()) {
            bind(implemented, bindings);
        }
    }

    /** {@code type} with its variables replaced; one that nothing binds becomes its bound. */
    static Type resolve(Type type, Map<TypeVariable<?>, Type> bindings) {
        if (type instanceof TypeVariable) {
            Type bound = bindings.get(type);
            return bound != null ? bound : raw(((TypeVariable<?>) type).getBounds()[0]);
        }
        if (type instanceof WildcardType) {
            return resolve(((WildcardType) type).getUpperBounds()[0], bindings);
        }
        if (type instanceof GenericArrayType) {
            Type item = resolve(((GenericArrayType) type).getGenericComponentType(), bindings);
            return item instanceof Class ? Array.newInstance((Class<?>) item, 0).getClass() : new GenericArray(item);
        }
        if (type instanceof ParameterizedType) {
            Type[] arguments = ((ParameterizedType) type).getActualTypeArguments().clone();
            for (int index = 0; index < arguments.length; index++) {
                arguments[index] = resolve(arguments[index], bindings);
            }
            return new Resolved(raw(type), arguments);
        }
        return type;
    }

    /** An array of a parameterised type. */
    private static final class GenericArray implements GenericArrayType {
        private final Type item;

        GenericArray(Type item) {
            this.item = item;
        }

        @Override
        public Type getGenericComponentType() {
            return item;
        }
    }

    static Class<?> raw(Type type) {
        if (type instanceof Class) {
            return (Class<?>) type;
        }
        if (type instanceof ParameterizedType) {
            return (Class<?>) ((ParameterizedType) type).getRawType();
        }
        if (type instanceof GenericArrayType) {
            return Array.newInstance(raw(((GenericArrayType) type).getGenericComponentType()), 0).getClass();
        }
        if (type instanceof TypeVariable) {
            return raw(((TypeVariable<?>) type).getBounds()[0]);
        }
        return raw(((WildcardType) type).getUpperBounds()[0]);
    }

    /** What {@code type} gives for parameter number {@code index} of the generic class it is made from; Object if nothing. */
    static Type argument(Type type, Class<?> generic, int index) {
        Type bound = bindings(type).get(generic.getTypeParameters()[index]);
        return bound == null ? Object.class : bound;
    }
}
