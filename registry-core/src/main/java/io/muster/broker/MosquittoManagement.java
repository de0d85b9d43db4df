// SPDX-License-Identifier: Apache-2.0
package io.muster.broker;

import com.fasterxml.jackson.databind.JsonNode;
import io.micrometer.core.instrument.Counter;
import io.muster.broker.Dynsec.Client;
import io.muster.broker.Dynsec.Role;
import io.muster.broker.MosquittoDifference.Actual;
import io.muster.broker.MosquittoDifference.Desired;
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
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The logins that a Mosquitto has of devices. One client for each credential that is good, with a role for its device, or, where the
 * broker can have patterns, for its fleet. Looks before it writes, since the broker writes its whole file at each change. Touches nothing
 * but roles whose name begins as Muster's do, and clients that Muster made. Thread-safe.
 */
final class MosquittoManagement implements BrokerManagement {

    private static final String HINT =
            "setDefaultACLAccess must say no to publishClientSend and subscribe, see docs/brokers/mosquitto.md";
    private static final Logger LOG = LoggerFactory.getLogger(MosquittoManagement.class);
    private static final int PAGE = 500;
    private static final int STRIPES = 64;
    private static final String CLIENT_NOT_FOUND = "Client not found";
    private static final String ROLE_NOT_FOUND = "Role not found";

    private final Broker broker;
    private final BrokerLogins logins;
    private final Fleets fleets;
    private final ControlChannel channel;
    private final Counter repaired;
    private volatile boolean gap;
    private final Object[] stripes = Stream.generate(Object::new).limit(STRIPES).toArray();

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
    public Result keep(DeviceId device) throws IOException, InterruptedException {
        // Reading the registry and writing to the broker are one step. Otherwise a later reading could be overwritten
        // by an earlier one.
        synchronized (stripeOf(device)) {
            return keepNow(device, false);
        }
    }

    /** Does not delete sessions: a role says what a session may receive, so the subscriptions before are of no use. */
    @Override
    public Result anew(DeviceId device) throws IOException, InterruptedException {
        synchronized (stripeOf(device)) {
            return keepNow(device, true);
        }
    }

    /** Returns the lock of a device, which it shares with a few others. */
    private Object stripeOf(DeviceId device) {
        return stripes[Math.floorMod(device.hashCode(), STRIPES)];
    }

    private Result keepNow(DeviceId device, boolean anew) throws IOException, InterruptedException {
        List<Login> all = logins.of(broker, device);
        List<Login> good =
                all.stream().filter(login -> login.standing() == Standing.GOOD).toList();
        Optional<Role> role = good.stream().findFirst().flatMap(this::role);
        BrokerState state = endAndLook(device, all, role);
        // An open default ACL would let the device use any topic, whatever its role says. So it has no login.
        Optional<Role> wanted = state.open() ? Optional.empty() : role;

        Commands commands = new Commands();
        for (Login login : good) {
            putClient(commands, login, wanted.map(put -> Client.of(login.key(), device, put.name())), state);
        }
        int deleted = state.deleted() + commands.changes.size();
        Optional<Role> changed = wanted.filter(put -> !put.equals(state.roles().get(put.name())));
        changed.ifPresent(put ->
                commands.changes.add(put.command(state.roles().containsKey(put.name()) ? "modifyRole" : "createRole")));
        if (anew || changed.filter(put -> state.roles().containsKey(put.name())).isPresent()) {
            // A connected client does not learn that its subscriptions change.
            reconnect(commands, good, state);
        }
        commands.changes.addAll(commands.created);
        String own = Dynsec.roleOf(device);
        if (state.roles().containsKey(own)
                && wanted.filter(put -> put.name().equals(own)).isEmpty()) {
            commands.changes.add(Dynsec.deleteRole(own));
        }
        carryOut(Stream.concat(commands.changes.stream(), commands.reconnects.stream())
                .toList());
        forgetEnded(all);
        if (state.open() && !good.isEmpty()) {
            throw new RefusedException(
                    "it lets everybody publish or subscribe by default, so no device is let in: " + HINT);
        }
        Optional<Instant> until =
                good.stream().flatMap(login -> login.ends().stream()).min(Instant::compareTo);
        boolean ended = deleted > 0 || (anew && !commands.reconnects.isEmpty());
        return new Result(state.deleted() + commands.changes.size(), ended, until);
    }

    /** Commands for one device, in the order in which the broker gets them. */
    private static final class Commands {

        private final List<Map<String, Object>> changes = new ArrayList<>();
        private final List<Map<String, Object>> created = new ArrayList<>();
        private final List<Map<String, Object>> reconnects = new ArrayList<>();

        boolean creates(String key) {
            return created.stream().anyMatch(client -> key.equals(client.get("username")));
        }
    }

    private void putClient(Commands commands, Login login, Optional<Client> wanted, BrokerState state)
            throws IOException {
        Optional<Client> actual = Optional.ofNullable(state.clients().get(login.key()));
        if (actual.equals(wanted)) {
            return;
        }
        actual.ifPresent(client -> commands.changes.add(Dynsec.deleteClient(client.user())));
        if (wanted.isPresent()) {
            commands.created.add(wanted.get().create(secret(login)));
        }
    }

    private static void reconnect(Commands commands, List<Login> good, BrokerState state) {
        good.stream()
                .map(Login::key)
                .filter(state.clients()::containsKey)
                .filter(key -> !commands.creates(key))
                .forEach(key -> commands.reconnects.addAll(Dynsec.reconnect(key)));
    }

    private void forgetEnded(List<Login> all) {
        List<String> ended = all.stream()
                .filter(login -> login.standing() == Standing.ENDED)
                .map(Login::key)
                .toList();
        if (!ended.isEmpty()) {
            logins.forget(broker, ended);
        }
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
                        login.device(),
                        fleet.document().topics().of(login.device(), fleet.name(), login.serial(), login.owner()))));
    }

    private Optional<Role> ofFleet(Fleet fleet) {
        return broker.patterns() ? Dynsec.role(fleet.name(), fleet.document().topics()) : Optional.empty();
    }

    /**
     * The state of a device at a broker.
     *
     * @param deleted how many clients it had that are gone now
     * @param open whether it lets everybody do anything by default
     */
    private record BrokerState(int deleted, boolean open, Map<String, Role> roles, Map<String, Client> clients) {}

    /** Ends what is no longer good, first and without looking, and asks for the rest in the same message. */
    private BrokerState endAndLook(DeviceId device, List<Login> all, Optional<Role> wanted)
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
                String command = answer.path("command").asText();
                switch (command) {
                    case "deleteClient" -> deleted++;
                    case "getDefaultACLAccess" -> open = Dynsec.isOpen(answer);
                    case "getRole" -> {
                        Role role = Role.read(data.path("role"));
                        roles.put(role.name(), role);
                    }
                    case "getClient" -> {
                        Client client = Client.read(data.path("client"));
                        clients.put(client.user(), client);
                    }
                    default -> throw new RefusedException("it answered to " + command + ", which it was not sent");
                }
            }
        }
        return new BrokerState(deleted, open, roles, clients);
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
        boolean open = isOpen();
        gap |= channel.isAnother();
        // First what the broker has and then what it should have, so that a login that is not to be found there now is
        // none.
        Actual actual = actual();
        MosquittoDifference difference = MosquittoDifference.between(actual, desired(open), rolesOfFleets());
        int mended = strangers(difference.strangers());
        Map<DeviceId, RefusedException> refused = new LinkedHashMap<>();
        for (DeviceId device : difference.devices()) {
            mended += mended(device, refused);
        }
        for (String role : difference.unusedRoles()) {
            mended += leftOver(role, refused);
        }
        if (gap) {
            // One of these may have connected when nobody heard it; if it did, it does so once more.
            for (String key : difference.unheard()) {
                carryOut(Dynsec.reconnect(key));
            }
            gap = false;
        }
        report(mended, refused);
    }

    private boolean isOpen() throws IOException, InterruptedException {
        JsonNode defaults = channel.send(List.of(Dynsec.getDefaults())).get(0);
        boolean open = isFine(defaults, Set.of()) && Dynsec.isOpen(defaults);
        if (open) {
            LOG.warn(
                    "The broker {} lets everybody publish or subscribe by default, so no device is let in: {}",
                    broker.name(),
                    HINT);
        }
        return open;
    }

    private Actual actual() throws IOException, InterruptedException {
        Map<String, Client> clients = new HashMap<>();
        page("Clients", "clients", node -> {
            Client client = Client.read(node);
            clients.put(client.user(), client);
        });
        Map<String, Role> roles = new HashMap<>();
        page("Roles", "roles", node -> {
            if (MosquittoDifference.isOurs(node.path("rolename").asText())) {
                Role role = Role.read(node);
                roles.put(role.name(), role);
            }
        });
        return new Actual(clients, roles);
    }

    /** All logins in the order of their keys, read as they are asked for. */
    private Stream<Desired> desired(boolean open) {
        return Stream.iterate(
                        logins.after(broker, "", PAGE),
                        page -> !page.isEmpty(),
                        page -> logins.after(broker, page.get(page.size() - 1).key(), PAGE))
                .flatMap(List::stream)
                .map(login -> new Desired(
                        login.key(),
                        login.device(),
                        login.standing() == Standing.ENDED,
                        login.isUsed(),
                        login.standing() == Standing.GOOD && !open ? role(login) : Optional.empty()));
    }

    /** They stay even where no device has one now: a device that comes meanwhile would lose it again. */
    private Set<String> rolesOfFleets() {
        return fleets.list().stream()
                .flatMap(fleet -> ofFleet(fleet).stream())
                .map(Role::name)
                .collect(Collectors.toSet());
    }

    private void report(int mended, Map<DeviceId, RefusedException> refused) {
        if (mended > 0) {
            LOG.info(
                    "The broker {} differed from the registry in {} entries, which are corrected",
                    broker.name(),
                    mended);
        }
        refused.entrySet().stream()
                .findFirst()
                .ifPresent(refusal -> LOG.warn(
                        "The broker {} cannot be told of {} devices; the first is {}: {}",
                        broker.name(),
                        refused.size(),
                        refusal.getKey(),
                        refusal.getValue().getMessage()));
    }

    /** Counts at once, since a comparison may end before its last correction. */
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
    private int strangers(List<Client> strangers) throws IOException, InterruptedException {
        List<Map<String, Object>> commands = new ArrayList<>();
        for (Client client : strangers) {
            if (client.isOurs()) {
                commands.add(Dynsec.deleteClient(client.user()));
            } else {
                client.roles().stream()
                        .filter(MosquittoDifference::isOurs)
                        .forEach(role -> commands.add(Dynsec.removeClientRole(client.user(), role)));
            }
        }
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
