// Writes the pictures of a topic as files, DIR/<camera>/<epoch>-<sequence>.jpg; ../README.md says what for.
//
//	go run . --bootstrap localhost:9092 --topic frames.processed --to DIR [--group NAME] [--count N]
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const remembered = 10_000

var (
	name     = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,127})/([A-Za-z0-9@._-]{1,200})/([0-9]{1,19})$`)
	suffixes = map[string]string{"image/png": ".png", "image/webp": ".webp"}
	seen     = map[string]bool{}
	order    [remembered]string // what is seen, as a ring
	next     int
)

func main() {
	bootstrap := flag.String("bootstrap", "localhost:9092", "HOST:PORT of Kafka, several with commas")
	topic := flag.String("topic", "frames.processed", "what to read")
	to := flag.String("to", "frames", "folder of the pictures")
	group := flag.String("group", "subscriber-go", "consumer group; goes on where it was")
	left := flag.Int("count", math.MaxInt, "end after so many records")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(*bootstrap, ",")...), kgo.ConsumeTopics(*topic), kgo.ConsumerGroup(*group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),         // a partition stays ours until its records are committed
		kgo.SessionTimeout(10*time.Second), // so soon others take over from one that was killed
		kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelWarn, nil)),
	)
	check(err)
	check(client.Ping(ctx)) // or it would wait for the broker without a word
	for *left > 0 && ctx.Err() == nil {
		fetches := client.PollRecords(ctx, min(64, *left))
		if ctx.Err() == nil {
			check(fetches.Err())
		}
		for _, record := range fetches.Records() {
			take(record, *to)
		}
		// Only now that the files are there; and even when Ctrl-C came meanwhile.
		check(client.CommitRecords(context.WithoutCancel(ctx), fetches.Records()...))
		client.AllowRebalance()
		*left -= fetches.NumRecords()
	}
	client.CloseAllowingRebalance()
	if ctx.Err() != nil {
		os.Exit(130)
	}
}

func take(record *kgo.Record, to string) {
	place := fmt.Sprintf("@%s-%d/%d", record.Topic, record.Partition, record.Offset)
	id := header(record, "ce_id", string(record.Key)+"/"+place) // without headers it is named by where it lies
	parts := name.FindStringSubmatch(id)
	if parts == nil || parts[1] != string(record.Key) || len(record.Value) == 0 {
		log.Print("no frame: ", place)
		return
	}
	identity := header(record, "ce_source", "/cameras/"+parts[1]) + " " + id
	if seen[identity] {
		log.Print("repeated: ", identity)
		return
	}
	suffix := suffixes[header(record, "content-type", "")]
	file := filepath.Join(to, parts[1], parts[2]+"-"+parts[3]+cmp.Or(suffix, ".jpg"))
	check(os.MkdirAll(filepath.Dir(file), 0o755))
	check(os.WriteFile(file+".part", record.Value, 0o644))
	check(os.Rename(file+".part", file)) // whole or not at all
	delete(seen, order[next])
	order[next], seen[identity], next = identity, true, (next+1)%remembered
	fmt.Println(parts[1], id)
}

func header(record *kgo.Record, key, otherwise string) string {
	for _, header := range record.Headers {
		if header.Key == key {
			return string(header.Value)
		}
	}
	return otherwise
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
