// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import fish.payara.micro.ClusterCommandResult;
import fish.payara.micro.PayaraMicro;
import fish.payara.micro.boot.AdminCommandRunner;
import fish.payara.micro.boot.PayaraMicroBoot;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Payara Micro in this process. Its listeners stay closed until the application runs. So no client gets the server's
 * own 404 from a registry that is still starting, and a registry that cannot start never opens a port.
 *
 * <p>Its public interface has every option except the command line itself. The two methods that read one are called by
 * reflection.
 */
final class Server {

    private static final String LISTENERS =
            "configs.config.server-config.network-config.network-listeners.network-listener.";

    private static final Pattern REPORT = Pattern.compile(
            "Error occurred during deployment: (.*LifecycleException: )?(?<reason>.*?)\\. Please see server\\.log");

    private final List<String> toOpen = new ArrayList<>();
    private final PayaraMicroBoot payara;
    private AdminCommandRunner commands;

    /** Unpacks the server. */
    Server(File directory) {
        PayaraMicro.setUpackedJarDir(directory);
        payara = PayaraMicro.getInstance();
    }

    /** Makes the checks of Payara Micro that need no start. */
    void check(List<String> options) throws StartFault {
        try {
            ofServer("cmd.options.RuntimeOptions")
                    .getConstructor(String[].class)
                    .newInstance((Object) options.toArray(String[]::new));
        } catch (InvocationTargetException e) {
            throw new StartFault(e.getCause().getMessage() + "\nThe options are listed by --help.", e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("not the Payara Micro this launcher was made for", e);
        }
    }

    /** Prints the options of Payara Micro. */
    void printHelp() {
        try {
            ofServer("cmd.options.RuntimeOptions").getMethod("printHelp").invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("not the Payara Micro this launcher was made for", e);
        }
    }

    /** Boots with all listeners closed. */
    void boot(List<String> options) throws StartFault {
        payara.setPreBootHandler(this::closeListeners);
        payara.setPostBootHandler(runner -> commands = runner);
        try {
            ofServer("impl.PayaraMicroImpl").getMethod("create", String[].class).invoke(null, (Object)
                    options.toArray(String[]::new));
        } catch (InvocationTargetException e) {
            throw new StartFault("The server did not boot: " + describe(rootOf(e)), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("not the Payara Micro this launcher was made for", e);
        }
    }

    /** Tells whether {@link #open} opens a listener for plain HTTP. */
    boolean opensHttp() {
        return toOpen.contains("http-listener");
    }

    /**
     * Deploys the application at the root. An application that knows why it cannot start puts that into
     * {@code muster.start-fault}.
     */
    void deploy(File war) throws StartFault {
        ClusterCommandResult result = commands.run(
                "deploy",
                "--force=true",
                "--name=muster",
                "--contextroot=/",
                "--availabilityenabled=false",
                war.getPath());
        String fault = System.getProperty("muster.start-fault");
        if (fault != null) {
            throw new StartFault(fault);
        }
        if (failed(result)) {
            throw new StartFault("The registry did not start: " + reason(result), result.getFailureCause());
        }
    }

    /** Opens the listeners of the configuration. */
    void open() throws StartFault {
        for (String listener : toOpen) {
            ClusterCommandResult result = commands.run("set", LISTENERS + listener + ".enabled=true");
            if (failed(result)) {
                throw new StartFault("The server cannot listen: " + reason(result), result.getFailureCause());
            }
        }
        try {
            Connections.guard(Thread.currentThread().getContextClassLoader());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("not the Payara Micro this launcher was made for", e);
        }
    }

    /** Returns the addresses that answer, such as {@code http://127.0.0.1:8080}. */
    List<String> addresses(String host) {
        List<String> addresses = new ArrayList<>();
        for (String listener : toOpen) {
            String scheme = listener.substring(0, listener.indexOf('-'));
            addresses.add(scheme + "://" + host + ":" + get(listener + ".port"));
        }
        return addresses;
    }

    void stop() {
        try {
            payara.shutdown();
        } catch (Exception e) {
            // it did not get that far
        }
    }

    private void closeListeners(AdminCommandRunner runner) {
        commands = runner;
        for (String listener : List.of("http-listener", "https-listener")) {
            if (get(listener + ".enabled").equals("true")) {
                toOpen.add(listener);
                commands.run("set", LISTENERS + listener + ".enabled=false");
            }
        }
    }

    /** Returns the value of a listener's setting; the server's answer is a line {@code name=value} among others. */
    private String get(String setting) {
        String line = LISTENERS + setting + "=";
        return commands.run("get", LISTENERS + setting)
                .getOutput()
                .lines()
                .filter(candidate -> candidate.contains(line))
                .map(candidate -> candidate
                        .substring(candidate.indexOf(line) + line.length())
                        .strip())
                .findFirst()
                .orElse("");
    }

    private static Class<?> ofServer(String name) throws ClassNotFoundException {
        return Thread.currentThread().getContextClassLoader().loadClass("fish.payara.micro." + name);
    }

    private static boolean failed(ClusterCommandResult result) {
        return result.getExitStatus() == ClusterCommandResult.ExitStatus.FAILURE;
    }

    /** Returns the relevant sentence of the server's report, without the names of the exceptions around it. */
    private static String reason(ClusterCommandResult result) {
        if (result.getFailureCause() != null) {
            return describe(rootOf(result.getFailureCause()));
        }
        String report = result.getOutput().lines().collect(Collectors.joining(" "));
        Matcher sentence = REPORT.matcher(report);
        return sentence.find() ? sentence.group("reason") : report;
    }

    private static Throwable rootOf(Throwable fault) {
        Throwable root = fault;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return root;
    }

    private static String describe(Throwable fault) {
        return fault.getMessage() == null
                ? fault.getClass().getSimpleName()
                : fault.getClass().getSimpleName() + ": " + fault.getMessage();
    }
}
