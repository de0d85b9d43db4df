// SPDX-License-Identifier: Apache-2.0
package io.muster.suite.token;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.oauth2.sdk.AccessTokenResponse;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.dpop.DPoPProofFactory;
import com.nimbusds.oauth2.sdk.dpop.DefaultDPoPProofFactory;
import com.nimbusds.oauth2.sdk.http.HTTPRequest;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.AccessTokenType;
import io.muster.suite.fixture.RegistryUnderTest;
import io.muster.suite.fixture.RegistryUnderTest.Registered;
import io.muster.suite.fixture.Reply;
import io.muster.suite.fixture.SharedWorld;
import io.muster.suite.fixture.Signer;
import java.net.URI;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An OAuth client that knows nothing of Muster: Nimbus, with only the metadata. */
class ForeignClientsIT {

    private final RegistryUnderTest registry = SharedWorld.embedded();
    private final String issuer = registry.base().toString().replaceAll("/$", "");
    private AuthorizationServerMetadata metadata;

    /** Makes the authentication of one request; an assertion is good for no second one. */
    @FunctionalInterface
    private interface Way {
        ClientAuthentication authentication() throws Exception;
    }

    @BeforeEach
    void discover() throws Exception {
        metadata = AuthorizationServerMetadata.resolve(new Issuer(issuer));
    }

    private AccessToken token(ClientAuthentication authentication, DPoPProofFactory proofs) throws Exception {
        URI endpoint = metadata.getTokenEndpointURI();
        HTTPRequest request = new TokenRequest.Builder(endpoint, authentication, new ClientCredentialsGrant())
                .build()
                .toHTTPRequest();
        if (proofs != null) {
            request.setDPoP(proofs.createDPoPJWT("POST", endpoint));
        }
        TokenResponse response = TokenResponse.parse(request.send());
        assertThat(response.indicatesSuccess()).as(response.toString()).isTrue();
        AccessTokenResponse success = response.toSuccessResponse();
        return success.getTokens().getAccessToken();
    }

    private void assertIsOf(String deviceId, AccessToken token, DPoPProofFactory proofs) throws Exception {
        URI record = URI.create(issuer + "/devices/me");
        HTTPRequest request = new HTTPRequest(HTTPRequest.Method.GET, record);
        request.setAuthorization(token.toAuthorizationHeader());
        if (proofs != null) {
            request.setDPoP(proofs.createDPoPJWT("GET", record, token));
        }
        assertThat(request.send().getBody()).contains(deviceId);
    }

    private void assertEveryUseWorks(String deviceId, Way way) throws Exception {
        AccessToken bearer = token(way.authentication(), null);
        assertThat(bearer.getType()).isEqualTo(AccessTokenType.BEARER);
        assertIsOf(deviceId, bearer, null);

        DPoPProofFactory proofs =
                new DefaultDPoPProofFactory(new ECKeyGenerator(Curve.P_256).generate(), JWSAlgorithm.ES256);
        AccessToken bound = token(way.authentication(), proofs);
        assertThat(bound.getType()).isEqualTo(AccessTokenType.DPOP);
        assertIsOf(deviceId, bound, proofs);

        HTTPRequest revocation = new TokenRevocationRequest(
                        metadata.getRevocationEndpointURI(), way.authentication(), bearer)
                .toHTTPRequest();
        assertThat(revocation.send().getStatusCode()).isEqualTo(200);
        assertThat(registry.isActive(bearer.getValue())).isFalse();
        assertThat(registry.isActive(bound.getValue())).isTrue();
    }

    @Test
    void clientSecretBasic() throws Exception {
        Registered device = registry.newDevice();
        assertEveryUseWorks(
                device.deviceId(),
                () -> new ClientSecretBasic(new ClientID(device.key()), new Secret(device.secret())));
    }

    @Test
    void clientSecretPost() throws Exception {
        Registered device = registry.newDevice();
        assertEveryUseWorks(
                device.deviceId(), () -> new ClientSecretPost(new ClientID(device.key()), new Secret(device.secret())));
    }

    @Test
    void privateKeyJwtForTheIssuerAndForTheTokenEndpoint() throws Exception {
        Signer own = Signer.make();
        String serial = registry.expectedSerial();
        Reply reply = registry.post("register", RegistryUnderTest.JSON, own.registration(issuer, serial));
        String key = reply.json().path("key").asText();
        String deviceId = reply.json().path("deviceId").asText();

        for (URI audience : new URI[] {URI.create(issuer), metadata.getTokenEndpointURI()}) {
            assertEveryUseWorks(
                    deviceId,
                    () -> new PrivateKeyJWT(
                            new ClientID(key),
                            audience,
                            JWSAlgorithm.ES256,
                            own.key().toPrivateKey(),
                            null,
                            null));
        }
    }
}
