// SPDX-License-Identifier: Apache-2.0
package io.muster.install;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.muster.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * A Linux to install software on: systemd as process 1 in namespaces of its own, on a copy-on-write layer over a root file system. It
 * has a loopback network and no other. The root file system is not changed. Nothing is left when the machine is closed or this JVM ends.
 */
final class Machine implements AutoCloseable {

    private final Path directory;
    private final Path cgroup;
    private final Process outer;
    private final Thread hook = new Thread(this::end, "machine-cleanup");
    private long init;

    private Machine(Path directory, Path cgroup, Process outer) {
        this.directory = directory;
        this.cgroup = cgroup;
        this.outer = outer;
    }

    private static final String MOUNTS = "mount -t tmpfs t /mnt && cd /mnt && mkdir u w m"
            + " && mount -t overlay -o lowerdir=/etc,upperdir=u,workdir=w o m";

    /**
     * Skips the test, or fails it in CI, if a program is missing. Skips it, in CI too, if this machine cannot make another one: a
     * container without privileges is no fault.
     */
    static void require() {
        assumeTrue(System.getProperty("user.name").equals("root"), "only root may make a machine");
        assumeTrue(Files.isExecutable(Path.of("/lib/systemd/systemd")), "there is no systemd to run as process 1");
        assumeTrue(cgroups().filter(Files::isWritable).isPresent(), "there are no control groups of version 2");
        Required.programs("unshare", "nsenter", "pivot_root", "curl", "dpkg-deb");
        assumeTrue(
                Command.run(
                                        "unshare",
                                        "-f",
                                        "--pid",
                                        "--mount",
                                        "--uts",
                                        "--ipc",
                                        "--net",
                                        "--cgroup",
                                        "sh",
                                        "-c",
                                        MOUNTS)
                                .status()
                        == 0,
                "namespaces or overlays are not available");
    }

    /** Where this system has control groups of version 2. */
    private static Optional<Path> cgroups() {
        return Stream.of("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
                .map(Path::of)
                .filter(path -> Files.exists(path.resolve("cgroup.controllers")))
                .findFirst();
    }

    /**
     * Boots.
     *
     * @param below the root file system of which it is a copy
     * @param directory an empty directory for what is written, not on an overlay
     */
    static Machine boot(Path below, Path directory) throws IOException {
        for (String name : List.of("upper", "work", "root")) {
            Files.createDirectories(directory.resolve(name));
        }
        Files.createFile(directory.resolve("console"));
        Files.copy(Repository.file("deploy/package/src/test/resources/boot.sh"), directory.resolve("boot.sh"));
        // A branch of its own, because systemd takes the root of what it sees.
        Path cgroup = Files.createTempDirectory(cgroups().orElseThrow(), "muster-machine-");
        ProcessBuilder builder = new ProcessBuilder(
                        "sh",
                        "-c",
                        "echo $$ > \"$1/cgroup.procs\" && exec unshare --fork --kill-child --pid --mount --uts --ipc --net"
                                + " --cgroup sh \"$3/boot.sh\" \"$2\" \"$3\"",
                        "boot",
                        cgroup.toString(),
                        below.toString(),
                        directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("boot.log").toFile());
        Machine machine = new Machine(directory, cgroup, builder.start());
        Runtime.getRuntime().addShutdownHook(machine.hook);
        try {
            machine.awaitBoot();
            return machine;
        } catch (RuntimeException | Error e) {
            machine.close();
            throw e;
        }
    }

    private void awaitBoot() {
        within(Duration.ofSeconds(60), "systemd runs", () -> {
            if (!outer.isAlive()) {
                throw new AssertionError("it does not boot: " + read(directory.resolve("boot.log")));
            }
            Optional<ProcessHandle> child = outer.children().findFirst();
            if (child.isEmpty()) {
                return false;
            }
            init = child.get().pid();
            return read(Path.of("/proc/" + init + "/comm")).strip().equals("systemd")
                    && in("systemctl", "is-system-running").output().matches("(?s)(running|degraded)\\s*");
        });
    }

    /** Runs a command on it. */
    Command in(String... words) {
        List<String> all =
                new ArrayList<>(List.of("nsenter", "--target", Long.toString(init), "--all", "--root", "--wd"));
        all.addAll(List.of(words));
        return Command.run(Map.of("DEBIAN_FRONTEND", "noninteractive"), all);
    }

    /** Runs a command of the machine below in its network. */
    Command inNetwork(String... words) {
        List<String> all = new ArrayList<>(List.of("nsenter", "--target", Long.toString(init), "--net"));
        all.addAll(List.of(words));
        return Command.run(Map.of(), all);
    }

    /** A file of it. */
    Path file(String name) {
        return Path.of("/proc/" + init + "/root").resolve(name.substring(1));
    }

    /** The local addresses on which something listens, in the kernel's hexadecimal form. */
    List<String> listeners() {
        List<String> found = new ArrayList<>();
        for (String table : List.of("tcp", "tcp6")) {
            read(Path.of("/proc/" + init + "/net/" + table))
                    .lines()
                    .map(line -> line.strip().split("\\s+"))
                    .filter(columns -> columns.length > 3 && columns[3].equals("0A"))
                    .forEach(columns -> found.add(columns[1]));
        }
        return found;
    }

    static void within(Duration limit, String what, BooleanSupplier condition) {
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + limit + ": " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        end();
        Runtime.getRuntime().removeShutdownHook(hook);
    }

    /** Ends process 1, and with it all others and every mount, and removes what was written. */
    private void end() {
        try {
            // Harder than SIGTERM, which it does not pass on.
            outer.destroyForcibly().waitFor();
            within(Duration.ofSeconds(60), "its processes end and leave their control groups", () -> {
                Command.run("find", cgroup.toString(), "-depth", "-type", "d", "-exec", "rmdir", "{}", ";");
                return !Files.exists(cgroup);
            });
            Command.run("rm", "-rf", directory.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
