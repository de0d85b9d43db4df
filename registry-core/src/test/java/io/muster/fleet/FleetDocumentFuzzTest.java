// SPDX-License-Identifier: Apache-2.0
package io.muster.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.muster.FuzzInput;
import io.muster.api.ProblemType;
import io.muster.json.Json;
import io.muster.problem.RegistryException;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class FleetDocumentFuzzTest {

    static Stream<byte[]> documents() {
        return FuzzInput.utf8(
                "{'verifiers':['database']}",
                "{'name':'pumps','verifiers':['block-list','hmac','http'],'required':2,'onUnavailable':{'http':'skip'},"
                        + "'shadow':['jwt'],'timeBudget':'PT2S','cache':{'genuine':'PT1H','refused':'PT0S','size':5},"
                        + "'registerAgain':'never','unconfirmedLifetime':'P30D','attributes':{'a':'number'},"
                        + "'configuration':{'k':'v'},'wire':{'path':'/api/a','request':{'serial':'/a/~0b',"
                        + "'evidence':{'jwt':'/t'}},'reply':{'key':'key','secret':'secret'},'serialTag':'sn'}}",
                "{'verifiers':['database'],'wire':{'preset':'register-device','request':{'evidence':{}},'reply':{}}}",
                "{'verifiers':['user'],'claims':{'users':['customers'],'by':['code','serial','tag'],'tag':'sn',"
                        + "'to':['user','group'],'release':false,'transfer':true,'tags':['room'],'disconnect':true}}",
                "{'verifiers':['user'],'claims':{'users':['nix','nix'],'by':[],'tag':'owner','tags':['serial',1],'x':0}}",
                "{'verifiers':['a','a'],'required':9,'wire':{'path':'/register/x','reply':{'a':'b'}},'x':1}",
                "{'verifiers':['database'],'timeBudget':'PT9223372036854775807S','unconfirmedLifetime':'-P1D'}");
    }

    @MethodSource("documents")
    @FuzzTest
    void documentHasFaultsOrReadsBackFromWhatIsShownOfIt(byte[] utf8) {
        FleetDocument document;
        try {
            document = parse(utf8);
        } catch (RegistryException e) {
            assertThat(e.type()).isEqualTo(ProblemType.INVALID_REQUEST);
            assertThat(e.faults()).isNotEmpty().allSatisfy(fault -> {
                FuzzInput.assertMayBeLogged(fault.detail());
                FuzzInput.assertMayBeLogged(fault.pointer());
            });
            return;
        }

        assertThat(document.rules().verifiers()).isNotEmpty();
        assertThat(document.rules().required())
                .isBetween(1, document.rules().verifiers().size());
        assertThat(parse(Json.bytes(document.toJson()))).isEqualTo(document);
    }

    private static FleetDocument parse(byte[] utf8) {
        return FleetDocument.parse(
                utf8,
                "pumps",
                name -> name.equals("nix") ? Optional.of("is not there") : Optional.empty(),
                name -> false,
                name -> name.equals("nix") ? Optional.of("is not there") : Optional.empty(),
                name -> name.equals("nix") ? Optional.of("is not there") : Optional.empty());
    }
}
