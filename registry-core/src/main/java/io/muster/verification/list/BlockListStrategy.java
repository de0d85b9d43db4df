// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.list;

import io.muster.cdi.Later;
import io.muster.cdi.Part;
import io.muster.config.Settings;
import io.muster.spi.SerialVerifier;
import io.muster.verification.Strategy;
import jakarta.inject.Inject;
import jakarta.inject.Named;
import jakarta.inject.Provider;
import java.util.Optional;

/** The verifier {@code block-list}: blocked serials of the list, and those of a file. */
@Part
@Named("block-list")
final class BlockListStrategy implements Strategy {

    private final Later<ExpectedSerials> serials;

    @Inject
    BlockListStrategy(Provider<ExpectedSerials> serials) {
        this.serials = Later.of(serials);
    }

    @Override
    public SerialVerifier make(String name, Settings settings) {
        Optional<BlockFile> file = settings.path("file").map(BlockFile::new);
        file.flatMap(BlockFile::fault).ifPresent(fault -> settings.fault("file", fault));
        return new BlockListVerifier(serials, file);
    }

    @Override
    public Grade grade(Settings settings) {
        return Grade.IDENTIFIES;
    }

    @Override
    public boolean canBeGenuine() {
        return false;
    }
}
