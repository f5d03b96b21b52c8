package com.amazonaws.services.lambda.runtime;

/** The application that invoked the function, as its SDK describes it. */
public interface Client {
    String getInstallationId();

    String getAppTitle();

    String getAppVersionName();

    String getAppVersionCode();

    String getAppPackageName();
}
