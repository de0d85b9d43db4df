// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class EventDeliveryTest {

    @Test
    void eventWasObservedWhenWhoeverCausedItGoesOn() {
        List<Object> seen = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        try (EventDelivery events = new EventDelivery(event -> {
            seen.add(event);
            threads.add(Thread.currentThread());
        })) {
            events.accept("one");
            events.accept("two");
        }

        assertThat(seen).containsExactly("one", "two");
        assertThat(threads).doesNotContain(Thread.currentThread());
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void observerThatHangsKeepsNobody() {
        CountDownLatch never = new CountDownLatch(1);
        Observers hanging = event -> {
            while (never.getCount() > 0) {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    // As a careless observer would.
                }
            }
        };
        try (EventDelivery events = new EventDelivery(hanging, Duration.ofMillis(50))) {
            for (int i = 0; i < 20; i++) {
                events.accept("event");
            }
            never.countDown();
        }
    }

    @Test
    void whatAnObserverThrowsIsNotPassedOn() {
        try (EventDelivery events = new EventDelivery(event -> {
            throw new AssertionError(event);
        })) {
            events.accept("event");
        }
    }

    @Test
    void eventThatNobodyObservesCostsNoThread() {
        List<Object> seen = new ArrayList<>();
        Observers nobody = new Observers() {
            @Override
            public void accept(Object event) {
                seen.add(event);
            }

            @Override
            public boolean observe(Object event) {
                return false;
            }
        };
        try (EventDelivery events = new EventDelivery(nobody)) {
            events.accept("event");
        }

        assertThat(seen).isEmpty();
    }
}
