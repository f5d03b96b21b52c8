package com.amazonaws.services.lambda.runtime;

/** A handler whose event and result are Java values: {@code I} is read from JSON, {@code O} written as JSON. */
public interface RequestHandler<I, O> {
    O handleRequest(I input, Context context);
}
