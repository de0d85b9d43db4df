package com.example;

import io.muster.spi.Candidate;
import io.muster.spi.PluginName;
import io.muster.spi.SerialVerifier;
import io.muster.spi.Verdict;
import java.util.Map;

@PluginName("acme")
public class AcmeVerifier implements SerialVerifier {

    @Override
    public Verdict verify(Candidate candidate) {
        String serial = candidate.serial().value();
        if (!serial.matches("ACME-[0-9]{4}")) {
            return Verdict.unknown();
        }
        if (serial.startsWith("ACME-0")) {
            return Verdict.refused("series 0 was recalled");
        }
        return Verdict.genuine(Map.of("series", Integer.parseInt(serial.substring(5, 6))));
    }
}
