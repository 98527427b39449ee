// SPDX-License-Identifier: Apache-2.0

// The Go peer of the benchmarks: what one writes by hand with franz-go and net/http. At least once: a record's offset is
// committed when its status is acknowledged by all in-sync replicas and so are all records before it. No checks of the
// job, no rates, no quotas, no retries.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

type job struct {
	ID      string          `json:"id"`
	App     string          `json:"app"`
	Kind    string          `json:"kind"`
	Message json.RawMessage `json:"message"`
}

type status struct {
	Version  int    `json:"version"`
	ID       string `json:"id"`
	App      string `json:"app"`
	Kind     string `json:"kind"`
	State    string `json:"state"`
	Errcode  int    `json:"errcode"`
	Msgid    int64  `json:"msgid"`
	Latency  int64  `json:"latency_ms"`
	Finished string `json:"finished_at"`
}

// partition finishes records out of order and marks them in order.
type partition struct {
	sync.Mutex
	client *kgo.Client
	queue  []*kgo.Record
	done   map[int64]bool
}

func (p *partition) begin(record *kgo.Record) {
	p.Lock()
	p.queue = append(p.queue, record)
	p.Unlock()
}

func (p *partition) finish(record *kgo.Record) {
	p.Lock()
	defer p.Unlock()
	p.done[record.Offset] = true
	var last *kgo.Record
	for len(p.queue) > 0 && p.done[p.queue[0].Offset] {
		last = p.queue[0]
		delete(p.done, last.Offset)
		p.queue = p.queue[1:]
	}
	if last != nil {
		p.client.MarkCommitRecords(last)
	}
}

type worker struct {
	client *kgo.Client
	http   *http.Client
	url    string
	status string
}

func (w *worker) push(record *kgo.Record, from *partition) {
	var wanted job
	if err := json.Unmarshal(record.Value, &wanted); err != nil {
		log.Fatal(err)
	}
	reply, err := w.http.Post(w.url, "application/json", bytes.NewReader(wanted.Message))
	if err != nil {
		log.Fatal(err)
	}
	var answer struct {
		Errcode int   `json:"errcode"`
		Msgid   int64 `json:"msgid"`
	}
	body, err := io.ReadAll(reply.Body)
	reply.Body.Close()
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil {
		log.Fatal(err)
	}
	now := time.Now()
	text, _ := json.Marshal(status{1, wanted.ID, wanted.App, wanted.Kind, "sent", answer.Errcode, answer.Msgid,
		now.Sub(record.Timestamp).Milliseconds(), now.UTC().Format(time.RFC3339Nano)})
	w.client.Produce(context.Background(), &kgo.Record{Topic: w.status, Key: []byte(wanted.ID), Value: text},
		func(_ *kgo.Record, err error) {
			if err != nil {
				log.Fatal(err)
			}
			from.finish(record)
		})
}

func main() {
	inFlight, _ := strconv.Atoi(os.Getenv("IN_FLIGHT"))
	authority, err := os.ReadFile(os.Getenv("CA_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Getenv("BOOTSTRAP")), kgo.ConsumerGroup(os.Getenv("GROUP")),
		kgo.ConsumeTopics(os.Getenv("JOBS")), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(100*time.Millisecond), kgo.SessionTimeout(10*time.Second),
		kgo.HeartbeatInterval(time.Second), kgo.ProducerLinger(2*time.Millisecond), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		log.Fatal(err)
	}
	w := &worker{client, &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConns: inFlight, MaxIdleConnsPerHost: inFlight,
		MaxConnsPerHost: inFlight}},
		os.Getenv("URL") + "/cgi-bin/message/template/send?access_token=72_bench", os.Getenv("STATUS")}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	partitions := map[int32]*partition{}
	slots := make(chan struct{}, inFlight)
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, 1000)
		fetches.EachRecord(func(record *kgo.Record) {
			from := partitions[record.Partition]
			if from == nil {
				from = &partition{client: client, done: map[int64]bool{}}
				partitions[record.Partition] = from
			}
			from.begin(record)
			slots <- struct{}{}
			go func() {
				w.push(record, from)
				<-slots
			}()
		})
	}
	for i := 0; i < inFlight; i++ {
		slots <- struct{}{}
	}
	client.Flush(context.Background())
	client.CommitMarkedOffsets(context.Background())
	client.Close()
}
