// SPDX-License-Identifier: Apache-2.0
package io.muster.micro;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;

/**
 * {@code java -jar muster.jar}: the registry on Payara Micro, on this machine's loopback address, without any setup.
 */
public final class Main {

    private static final String HELP =
            """
            java -jar muster.jar [option]...

            Starts Muster at http://127.0.0.1:8080 with its data in ./muster-data.

            MUSTER_DATA_DIR      where its data is (muster.data-dir)
            MUSTER_HTTP_ADDRESS  the address to listen on; 0.0.0.0 is all of this machine's (muster.http-address)
            MUSTER_CONFIG_FILE   the file to configure it with; ./muster.properties if it exists (muster.config-file)

            These are options of Payara Micro. Hazelcast is always off.
            """;

    private final Options options;
    private final Path data;
    private final String address;

    private Workspace workspace;
    private Server server;
    private StartLog log;
    private volatile boolean stopping;

    Main(Options options, Settings settings) {
        this.options = options;
        this.data = settings.dataDirectory();
        this.address = settings.httpAddress();
    }

    /**
     * Starts, prints where it listens and where its data is, and returns while the server's threads go on. A failed
     * start ends the process with status 1 and one message on standard error.
     *
     * @param arguments options of Payara Micro
     */
    public static void main(String... arguments) {
        Options options = Options.of(arguments);
        if (options.has("version")) {
            System.out.println("Muster " + Main.class.getPackage().getImplementationVersion());
            return;
        }
        MemoryWatch.start();
        Main main = new Main(options, new Settings(System.getProperties(), System.getenv()));
        try {
            main.start();
        } catch (StartFault e) {
            main.fail(e.getMessage());
        } catch (IOException | RuntimeException e) {
            main.fail(e.toString());
        }
    }

    private void start() throws StartFault, IOException {
        prepare();
        if (options.has("help")) {
            help();
        }
        server.check(options.given());
        if (options.has("autobindssl")) {
            throw new StartFault("--autobindssl does not work here. A port for HTTPS is chosen with --sslport.");
        }
        checkOwnName();
        InetAddress listening = addressOfThisMachine();
        int port = freePort(listening);
        String host = listening.isAnyLocalAddress() ? "127.0.0.1" : inUrl(address);
        System.setProperty("launcher.http-address", address);
        System.setProperty("muster.data-dir", data.toString());
        System.setProperty("muster.default-issuer", "http://" + host + ":" + port);
        if (!options.has("logproperties")) {
            log = StartLog.hold();
        }
        server.boot(options.forPayara(libraries(), port));
        server.deploy(workspace.unpack("/muster/muster.war", "muster.war"));
        ConsoleFilter.dropBrokenRequests();
        server.open();
        // The port at which the registry reaches itself, to warm up; 0 if there is none.
        System.setProperty("launcher.http-port", String.valueOf(server.opensHttp() ? port : 0));
        if (log != null) {
            log.release();
        }
        announce();
    }

    private void prepare() throws StartFault {
        try {
            if (!Files.exists(data)
                    && data.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.createDirectories(
                        data, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            workspace = Workspace.in(data.resolve("run"));
        } catch (IOException e) {
            throw new StartFault("It cannot write to its data directory " + data + " (" + e + ").", e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(this::cleanUp, "muster-clean-up"));
        server = new Server(options.unpackDirectory().orElse(workspace.directory()));
    }

    private void help() {
        System.err.println(HELP);
        server.printHelp();
        workspace.remove();
        Runtime.getRuntime().halt(0);
    }

    /** The server asks for the machine's own name while it boots, and cannot boot where the name has no address. */
    private static void checkOwnName() throws StartFault {
        try {
            InetAddress.getLocalHost();
        } catch (UnknownHostException e) {
            throw new StartFault(
                    "This machine cannot resolve its own name (" + e.getMessage()
                            + "). A line of /etc/hosts is enough: 127.0.1.1 and the name.",
                    e);
        }
    }

    private InetAddress addressOfThisMachine() throws StartFault {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new StartFault("MUSTER_HTTP_ADDRESS (muster.http-address) is not an address.", e);
        }
    }

    /** Returns a free port. The server reports a port in use late and at length, so it is tried first. */
    private int freePort(InetAddress listening) throws StartFault {
        IOException fault = null;
        for (int port = options.port(); port <= options.lastPort(); port++) {
            try (ServerSocket socket = new ServerSocket()) {
                socket.setReuseAddress(true);
                socket.bind(new InetSocketAddress(listening, port));
                return port;
            } catch (IOException e) {
                fault = e;
            }
        }
        throw new StartFault(
                "It cannot listen on " + inUrl(address) + ":" + options.port() + " (" + fault.getMessage()
                        + "). Another port is chosen with --port.",
                fault);
    }

    private static String inUrl(String address) {
        return address.contains(":") ? "[" + address + "]" : address;
    }

    /** Returns the crypto provider that fits this machine; without one the registry uses Java's own. */
    private List<File> libraries() throws IOException {
        String platform = System.getProperty("os.name").toLowerCase(Locale.ROOT) + "-" + System.getProperty("os.arch");
        String provider = "/muster/lib/corretto-crypto-" + platform + ".jar";
        return Main.class.getResource(provider) == null
                ? List.of()
                : List.of(workspace.unpack(provider, "corretto-crypto.jar"));
    }

    private void announce() {
        System.out.println("Muster listens on " + String.join(" and ", server.addresses(inUrl(address))));
        System.out.println("Its data is in " + data);
        String note = System.getProperty("muster.start-note");
        if (note != null) {
            System.out.println(note);
        }
    }

    private void fail(String message) {
        if (stopping) {
            return; // somebody ended the process while it started: no failure, and the hooks are at work
        }
        System.err.println("Muster did not start.");
        System.err.println(message);
        if (log != null) {
            saveLog();
        }
        if (server != null) {
            hush();
            server.stop();
        }
        if (workspace != null) {
            workspace.remove();
        }
        // Payara's own hook would only add to the message.
        Runtime.getRuntime().halt(1);
    }

    private void saveLog() {
        Path file = data.resolve("start-failure.log");
        try {
            log.saveTo(file);
            System.err.println("What the server said is in " + file);
        } catch (IOException e) {
            System.err.println("What the server said could not be written to " + file);
        }
    }

    /**
     * Silences standard output: the server prints its connection pools there when it stops. Muster's own messages go to
     * the log by then.
     */
    private static void hush() {
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
    }

    /**
     * Removes the workspace after the server. All hooks run at the same time, but the server reads from the workspace
     * until its own hook has ended.
     */
    private void cleanUp() {
        stopping = true;
        hush();
        try {
            Thread.sleep(100); // until the others have been started
            for (Thread thread : Thread.getAllStackTraces().keySet()) {
                if (thread.getName().equals("Payara Micro Shutdown Hook")) {
                    thread.join();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        workspace.remove();
    }
}
