package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.micrometer.core.instrument.Counter;
import io.muster.broker.Dynsec.Client;
import io.muster.broker.Dynsec.Role;
import io.muster.config.ConfigurationException;
import io.muster.config.MusterConfig.Broker;
import io.muster.credential.BrokerLogins;
import io.muster.credential.BrokerLogins.Login;
import io.muster.credential.BrokerLogins.Standing;
import io.muster.fleet.Fleet;
import io.muster.fleet.Fleets;
import io.muster.spi.DeviceId;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logins that a Mosquitto has of devices. One client for each credential that is good, with a role for its device, or, where the
 * broker can have patterns, for its fleet. Looks before it writes, since the broker writes its whole file at each change. Touches nothing
 * but roles whose name begins as Muster's do, and clients that Muster made. Thread-safe.
 */
final class MosquittoManagement implements BrokerManagement {

    private static final String CLOSE =
            "setDefaultACLAccess must say no to publishClientSend and subscribe, see docs/brokers/mosquitto.md";
    private static final Logger LOG = LoggerFactory.getLogger(MosquittoManagement.class);
    private static final int PAGE = 500;
    private static final int LOCKS = 64;
    private static final String CLIENT_NOT_FOUND = "Client not found";
    private static final String ROLE_NOT_FOUND = "Role not found";

    private final Broker broker;
    private final BrokerLogins logins;
    private final Fleets fleets;
    private final ControlChannel channel;
    private final Counter repaired;
    private volatile boolean gap;
    private final Object[] locks = Stream.generate(Object::new).limit(LOCKS).toArray();

    /**
     * Tells a broker by this channel.
     *
     * @param repaired counts what {@link #mend} mended
     */
    MosquittoManagement(Broker broker, BrokerLogins logins, Fleets fleets, ControlChannel channel, Counter repaired) {
        this.broker = broker;
        this.logins = logins;
        this.fleets = fleets;
        this.channel = channel;
        this.repaired = repaired;
    }

    @Override
    public void disconnect(String operator) {
        // It has none: those who are not devices have logins that the registry does not know of.
    }

    @Override
    public Kept keep(DeviceId device) throws IOException, InterruptedException {
        // What is read of the registry and what is then written to the broker must not be overtaken by a later reading.
        synchronized (locks[Math.floorMod(device.hashCode(), LOCKS)]) {
            return keepNow(device);
        }
    }

    private Kept keepNow(DeviceId device) throws IOException, InterruptedException {
        List<Login> all = logins.of(broker, device);
        List<Login> good =
                all.stream().filter(login -> login.standing() == Standing.GOOD).toList();
        Optional<Role> role = good.stream().findFirst().flatMap(this::role);
        Found found = endAndLook(device, all, role);
        // Where everybody may do anything, its role would not keep a device to its topics: so it has no login.
        Optional<Role> wanted = found.open() ? Optional.empty() : role;

        List<Map<String, Object>> commands = new ArrayList<>();
        List<Map<String, Object>> created = new ArrayList<>();
        List<Map<String, Object>> again = new ArrayList<>();
        for (Login login : good) {
            Optional<Client> should = wanted.map(one -> Client.of(login.key(), device, one.name()));
            Optional<Client> is = Optional.ofNullable(found.clients().get(login.key()));
            if (!is.equals(should)) {
                is.ifPresent(client -> commands.add(Dynsec.deleteClient(client.user())));
                if (should.isPresent()) {
                    created.add(should.get().create(secret(login)));
                }
            }
        }
        int deleted = found.deleted() + commands.size();
        wanted.filter(one -> !one.equals(found.roles().get(one.name()))).ifPresent(one -> {
            boolean there = found.roles().containsKey(one.name());
            commands.add(one.command(there ? "modifyRole" : "createRole"));
            if (there) {
                // Whoever is connected does not know that it is to subscribe to something else.
                good.stream()
                        .map(Login::key)
                        .filter(found.clients()::containsKey)
                        .filter(key -> created.stream().noneMatch(client -> key.equals(client.get("username"))))
                        .forEach(key -> again.addAll(Dynsec.reconnect(key)));
            }
        });
        commands.addAll(created);
        String own = Dynsec.roleOf(device);
        if (found.roles().containsKey(own)
                && wanted.filter(one -> one.name().equals(own)).isEmpty()) {
            commands.add(Dynsec.deleteRole(own));
        }
        carryOut(Stream.concat(commands.stream(), again.stream()).toList());
        List<String> over = all.stream()
                .filter(login -> login.standing() == Standing.ENDED)
                .map(Login::key)
                .toList();
        if (!over.isEmpty()) {
            logins.forget(broker, over);
        }
        if (found.open() && !good.isEmpty()) {
            throw new RefusedException(
                    "it lets everybody publish or subscribe by default, so no device is let in: " + CLOSE);
        }
        Optional<Instant> until =
                good.stream().flatMap(login -> login.ends().stream()).min(Instant::compareTo);
        return new Kept(found.deleted() + commands.size(), deleted > 0, until);
    }

    private String secret(Login login) throws RefusedException {
        try {
            return logins.open(login);
        } catch (ConfigurationException e) {
            throw new RefusedException("the secret that is kept for one of its credentials cannot be decrypted");
        }
    }

    /** The role of a device with this login; empty if its fleet is not to be found. */
    private Optional<Role> role(Login login) {
        return fleets.find(login.fleet()).map(fleet -> ofFleet(fleet)
                .orElseGet(() -> Dynsec.role(
                        login.device(), fleet.document().topics().of(login.device(), fleet.name(), login.serial()))));
    }

    private Optional<Role> ofFleet(Fleet fleet) {
        return broker.patterns() ? Dynsec.role(fleet.name(), fleet.document().topics()) : Optional.empty();
    }

    /**
     * What a broker has of a device.
     *
     * @param deleted how many clients it had that are gone now
     * @param open whether it lets everybody do anything by default
     */
    private record Found(int deleted, boolean open, Map<String, Role> roles, Map<String, Client> clients) {}

    /** Ends what is not good, before anything else and without looking, and finds out about the rest in the same message. */
    private Found endAndLook(DeviceId device, List<Login> all, Optional<Role> wanted)
            throws IOException, InterruptedException {
        List<Map<String, Object>> commands = new ArrayList<>();
        all.stream()
                .filter(login -> login.standing() != Standing.GOOD)
                .forEach(login -> commands.add(Dynsec.deleteClient(login.key())));
        commands.add(Dynsec.getDefaults());
        Set<String> names = new LinkedHashSet<>();
        names.add(Dynsec.roleOf(device));
        wanted.ifPresent(role -> names.add(role.name()));
        names.forEach(name -> commands.add(Dynsec.getRole(name)));
        all.stream()
                .filter(login -> login.standing() == Standing.GOOD)
                .forEach(login -> commands.add(Dynsec.getClient(login.key())));
        int deleted = 0;
        boolean open = true;
        Map<String, Role> roles = new HashMap<>();
        Map<String, Client> clients = new HashMap<>();
        for (JsonNode answer : channel.send(commands)) {
            if (isFine(answer, Set.of(CLIENT_NOT_FOUND, ROLE_NOT_FOUND))) {
                JsonNode data = answer.path("data");
                switch (answer.path("command").asText()) {
                    case "deleteClient" -> deleted++;
                    case "getDefaultACLAccess" -> open = Dynsec.isOpen(answer);
                    case "getRole" -> {
                        Role role = Role.read(data.path("role"));
                        roles.put(role.name(), role);
                    }
                    default -> {
                        Client client = Client.read(data.path("client"));
                        clients.put(client.user(), client);
                    }
                }
            }
        }
        return new Found(deleted, open, roles, clients);
    }

    /** Sends what is to be changed, the ends first, so that connections end before anything else. */
    private void carryOut(List<Map<String, Object>> commands) throws IOException, InterruptedException {
        if (commands.isEmpty()) {
            return;
        }
        for (JsonNode answer : channel.send(commands)) {
            String command = answer.path("command").asText();
            isFine(
                    answer,
                    Set.of("deleteClient", "removeClientRole", "disableClient", "enableClient")
                                    .contains(command)
                            ? Set.of(CLIENT_NOT_FOUND)
                            : command.equals("deleteRole") ? Set.of(ROLE_NOT_FOUND) : Set.of());
        }
    }

    /** Returns whether a command was carried out; false if it failed in a way that does no harm. */
    private static boolean isFine(JsonNode answer, Set<String> harmless) throws IOException {
        JsonNode error = answer.path("error");
        if (error.isMissingNode()) {
            return true;
        }
        if (harmless.contains(error.asText())) {
            return false;
        }
        throw new RefusedException("it answered to " + answer.path("command").asText() + ": " + error.asText());
    }

    @Override
    public void mend() throws IOException, InterruptedException {
        JsonNode defaults = channel.send(List.of(Dynsec.getDefaults())).get(0);
        boolean open = isFine(defaults, Set.of()) && Dynsec.isOpen(defaults);
        if (open) {
            LOG.warn(
                    "The broker {} lets everybody publish or subscribe by default, so no device is let in: {}",
                    broker.name(),
                    CLOSE);
        }
        gap |= channel.isAnother();
        // First what the broker has and then what it should have, so that a login that is not to be found there now is
        // none.
        Map<String, Client> clients = new HashMap<>();
        page("Clients", "clients", node -> {
            Client client = Client.read(node);
            clients.put(client.user(), client);
        });
        Map<String, Role> roles = new HashMap<>();
        page("Roles", "roles", node -> {
            if (node.path("rolename").asText().startsWith(Dynsec.PREFIX)) {
                Role role = Role.read(node);
                roles.put(role.name(), role);
            }
        });
        Set<DeviceId> differing = new LinkedHashSet<>();
        Set<String> keys = new HashSet<>();
        Set<String> used = new HashSet<>();
        Set<String> unseen = new LinkedHashSet<>();
        // Even where no device has it now: one that comes meanwhile would lose it again.
        fleets.list().forEach(fleet -> ofFleet(fleet).ifPresent(role -> used.add(role.name())));
        String last = "";
        for (List<Login> some = logins.after(broker, last, PAGE);
                !some.isEmpty();
                some = logins.after(broker, last, PAGE)) {
            for (Login login : some) {
                keys.add(login.key());
                Optional<Role> role = login.standing() == Standing.GOOD && !open ? role(login) : Optional.empty();
                role.ifPresent(one -> used.add(one.name()));
                Optional<Client> should = role.map(one -> Client.of(login.key(), login.device(), one.name()));
                boolean same = Optional.ofNullable(clients.get(login.key())).equals(should)
                        && role.map(one -> one.equals(roles.get(one.name()))).orElse(true);
                if (!same || login.standing() == Standing.ENDED) {
                    differing.add(login.device());
                } else if (should.isPresent() && !login.isUsed()) {
                    unseen.add(login.key());
                }
                last = login.key();
            }
        }
        int mended = strangers(clients, keys);
        Map<DeviceId, RefusedException> refused = new LinkedHashMap<>();
        for (DeviceId device : differing) {
            mended += mended(device, refused);
        }
        for (String role : new TreeSet<>(roles.keySet())) {
            if (!used.contains(role)) {
                mended += leftOver(role, refused);
            }
        }
        if (gap) {
            // One of these may have connected when nobody heard it; if it did, it does so once more.
            for (String key : unseen) {
                carryOut(Dynsec.reconnect(key));
            }
            gap = false;
        }
        if (mended > 0) {
            LOG.info("The broker {} differed from the registry in {} things, which are mended", broker.name(), mended);
        }
        refused.entrySet().stream()
                .findFirst()
                .ifPresent(one -> LOG.warn(
                        "The broker {} cannot be told of {} devices; the first is {}: {}",
                        broker.name(),
                        refused.size(),
                        one.getKey(),
                        one.getValue().getMessage()));
    }

    /** At once, since a comparison may end in the middle. */
    private int counted(int changes) {
        repaired.increment(changes);
        return changes;
    }

    /** One that cannot be mended keeps none of the others from it. */
    private int mended(DeviceId device, Map<DeviceId, RefusedException> refused)
            throws IOException, InterruptedException {
        try {
            return counted(keep(device).changes());
        } catch (RefusedException e) {
            refused.put(device, e);
            return 0;
        }
    }

    /** Clients that Muster made and knows no more go, and others lose the roles that only its devices have. */
    private int strangers(Map<String, Client> clients, Set<String> keys) throws IOException, InterruptedException {
        List<Map<String, Object>> commands = new ArrayList<>();
        clients.values().stream()
                .filter(client -> !keys.contains(client.user()))
                .forEach(client -> {
                    if (client.isOurs()) {
                        commands.add(Dynsec.deleteClient(client.user()));
                    } else {
                        client.roles().stream()
                                .filter(role -> role.startsWith(Dynsec.PREFIX))
                                .forEach(role -> commands.add(Dynsec.removeClientRole(client.user(), role)));
                    }
                });
        // One at a time: the broker serves nobody while it works on them.
        for (Map<String, Object> command : commands) {
            carryOut(List.of(command));
            counted(1);
        }
        return commands.size();
    }

    private int leftOver(String role, Map<DeviceId, RefusedException> refused)
            throws IOException, InterruptedException {
        Optional<DeviceId> device = Dynsec.device(role);
        if (device.isPresent()) {
            // It may have come meanwhile.
            return mended(device.get(), refused);
        }
        carryOut(List.of(Dynsec.deleteRole(role)));
        return counted(1);
    }

    private interface Each {
        void of(JsonNode node);
    }

    private void page(String what, String member, Each each) throws IOException, InterruptedException {
        int from = 0;
        int got = PAGE;
        while (got == PAGE) {
            JsonNode answer =
                    channel.send(List.of(Dynsec.list(what, from, PAGE))).get(0);
            isFine(answer, Set.of());
            JsonNode list = answer.path("data").path(member);
            list.forEach(each::of);
            got = list.size();
            from += got;
        }
    }

    @Override
    public void close() {
        channel.close();
    }
}
