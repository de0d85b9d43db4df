import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The first minute of an operator and a stranger, with the JDK alone. Run it with {@code java Operator.java}. */
class Operator {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    public static void main(String[] args) throws IOException, InterruptedException, GeneralSecurityException {
        String base = args[0];
        String operatorToken = Files.readString(Path.of(args[1])).strip();
        switch (args[2]) {
            case "load" -> load(base, operatorToken, Path.of(args[3]));
            case "verify" -> verify(base, operatorToken, new String(System.in.readAllBytes(), StandardCharsets.US_ASCII).strip());
            case "link" -> link(base, operatorToken);
            default -> throw new IllegalArgumentException(args[2]);
        }
    }

    private static void load(String base, String operatorToken, Path csv) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/api/v1/fleets/default/serials"))
                .header("Authorization", "Bearer " + operatorToken)
                .header("Content-Type", "text/csv")
                .POST(HttpRequest.BodyPublishers.ofFile(csv))
                .build();
        System.out.println(send(request));
    }

    /** Prints a link that signs in at the console, once. */
    private static void link(String base, String operatorToken) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/api/v1/console-links"))
                .header("Authorization", "Bearer " + operatorToken)
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        System.out.println(member(send(request), "url"));
    }

    /**
     * Verifies as a stranger does, with the published keys, and then asks the registry whether the token is still good.
     */
    private static void verify(String base, String operatorToken, String token)
            throws IOException, InterruptedException, GeneralSecurityException {
        String keys = send(HttpRequest.newBuilder(URI.create(base + "/.well-known/jwks.json")).build());
        String[] parts = token.split("\\.");
        String kid = member(text(parts[0]), "kid");
        Matcher jwk = Pattern.compile("\\{[^{}]*\"kid\":\"" + Pattern.quote(kid) + "\"[^{}]*}").matcher(keys);
        if (!jwk.find()) {
            throw new GeneralSecurityException("the key of the token is not published");
        }
        AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp256r1"));
        Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initVerify(KeyFactory.getInstance("EC")
                .generatePublic(new ECPublicKeySpec(
                        new ECPoint(number(jwk.group(), "x"), number(jwk.group(), "y")),
                        curve.getParameterSpec(ECParameterSpec.class))));
        signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
        if (!signature.verify(Base64.getUrlDecoder().decode(parts[2]))) {
            throw new GeneralSecurityException("the signature of the token is wrong");
        }
        System.out.println("The signature is right. The token says:");
        System.out.println("  " + text(parts[1]));
        HttpRequest introspection = HttpRequest.newBuilder(URI.create(base + "/introspect"))
                .header("Authorization", "Bearer " + operatorToken)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString("token=" + token))
                .build();
        System.out.println("The registry says it is good now:");
        System.out.println("  " + send(introspection));
    }

    private static String send(HttpRequest request) throws IOException, InterruptedException {
        var reply = HTTP.send(request, BodyHandlers.ofString());
        if (reply.statusCode() / 100 != 2) {
            throw new IOException(request.uri() + " answered " + reply.statusCode() + ": " + reply.body());
        }
        return reply.body();
    }

    private static String text(String part) {
        return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }

    private static String member(String json, String name) {
        Matcher member = Pattern.compile("\"" + name + "\":\"([^\"]*)\"").matcher(json);
        if (!member.find()) {
            throw new IllegalArgumentException("no member " + name);
        }
        return member.group(1);
    }

    private static BigInteger number(String json, String name) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(member(json, name)));
    }
}
