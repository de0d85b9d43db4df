package io.muster.suite;

/** On the embedded database. */
class EmbeddedIT implements ScenarioContract, ImportContract, SerialListContract, RaceContract {

    @Override
    public RegistryUnderTest registry() {
        return Registries.embedded();
    }
}
