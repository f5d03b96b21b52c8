package ingle.runtime;

import com.amazonaws.services.lambda.runtime.Context;

/** What is called for each event: bytes in, bytes out. */
interface Handler {
    byte[] handle(byte[] event, Context context) throws Throwable;
}
