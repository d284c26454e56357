// Writes the pictures of a topic as files, DIR/<camera>/<epoch>-<sequence>.jpg; ../README.md says what for.
//
//   java -cp 'jars/*' Subscriber.java --bootstrap localhost:9092 --topic frames.processed --to DIR [--group NAME] [--count N]
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

class Subscriber {
    static final Pattern NAME =
            Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]{0,127})/([A-Za-z0-9@._-]{1,200})/([0-9]{1,19})");
    static final Map<String, String> SUFFIXES = Map.of("image/png", ".png", "image/webp", ".webp");
    static final Set<String> SEEN = Collections.newSetFromMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > 10_000;
        }
    });
    static volatile boolean stopped;

    public static void main(String[] arguments) throws IOException {
        var options = new HashMap<>(Map.of("--bootstrap", "localhost:9092", "--topic", "frames.processed",
                "--to", "frames", "--group", "subscriber-java", "--count", "" + Long.MAX_VALUE));
        for (int i = 0; i < arguments.length; i += 2) {
            if (i + 1 == arguments.length || options.replace(arguments[i], arguments[i + 1]) == null) {
                System.err.println("unknown, or without a value: " + arguments[i]);
                System.exit(2);
            }
        }
        var loop = Thread.currentThread();
        // Ctrl-C ends the loop, and Java waits for that; then it exits with 130.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopped = true;
            try {
                loop.join();
            } catch (InterruptedException cut) {
                loop.interrupt();
            }
        }));
        try (var consumer = new KafkaConsumer<>(Map.<String, Object>of(
                "bootstrap.servers", options.get("--bootstrap"), "group.id", options.get("--group"),
                "auto.offset.reset", "earliest", "enable.auto.commit", false, "max.poll.records", 64,
                "session.timeout.ms", 10_000), // so soon others take over from one that was killed
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(options.get("--topic")));
            var left = Long.parseLong(options.get("--count"));
            while (left > 0 && !stopped) {
                var done = new HashMap<TopicPartition, OffsetAndMetadata>();
                for (var record : consumer.poll(Duration.ofMillis(500))) {
                    if (left-- <= 0) break;
                    take(record, Path.of(options.get("--to")));
                    done.put(new TopicPartition(record.topic(), record.partition()),
                            new OffsetAndMetadata(record.offset() + 1));
                }
                try {
                    consumer.commitSync(done); // only now that the files are there
                } catch (CommitFailedException | RebalanceInProgressException lost) {
                    System.err.println("will come again, here or elsewhere: " + done.keySet());
                }
            }
        }
    }

    static void take(ConsumerRecord<byte[], byte[]> record, Path to) throws IOException {
        var place = "@" + record.topic() + "-" + record.partition() + "/" + record.offset();
        var camera = record.key() == null ? "" : new String(record.key(), UTF_8);
        var id = header(record, "ce_id", camera + "/" + place); // without headers it is named by where it lies
        var parts = NAME.matcher(id);
        if (!parts.matches() || !parts.group(1).equals(camera) || record.serializedValueSize() <= 0) {
            System.err.println("no frame: " + place);
            return;
        }
        var identity = header(record, "ce_source", "/cameras/" + camera) + " " + id;
        if (SEEN.contains(identity)) {
            System.err.println("repeated: " + identity);
            return;
        }
        var suffix = SUFFIXES.getOrDefault(header(record, "content-type", ""), ".jpg");
        var file = to.resolve(camera).resolve(parts.group(2) + "-" + parts.group(3) + suffix);
        var part = Path.of(file + ".part");
        Files.createDirectories(file.getParent());
        Files.write(part, record.value());
        Files.move(part, file, ATOMIC_MOVE); // whole or not at all
        SEEN.add(identity);
        System.out.println(camera + " " + id);
    }

    static String header(ConsumerRecord<?, ?> record, String name, String otherwise) {
        var header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? otherwise : new String(header.value(), UTF_8);
    }
}
