// SPDX-License-Identifier: Apache-2.0

// The far end of the benchmarks: answers token calls and pushes as WeChat would, over HTTP/1.1 and TLS, after a fixed
// latency, and counts what came. It knows just enough of HTTP to cost little: it shares two cores with what is measured.
//
// A push body carries a mark, `@NUMBER@MICROSECONDS@`: the job's number, for repeats, and when it was put on Kafka, for
// the latency. The control port (plain HTTP) answers /stats and takes /reset?mean=MS&jitter=MS&jobs=N.
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	random "math/rand"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Latencies are counted in buckets of 10 µs, up to 20 s.
const (
	bucketWidth = 10
	buckets     = 2_000_000
)

// run is what was counted since the last reset.
type run struct {
	mean, jitter time.Duration
	pushes       atomic.Int64
	distinct     atomic.Int64
	began        atomic.Int64 // of the first push, ns since the epoch
	ended        atomic.Int64 // of the last push
	seen         []uint32
	latencies    []uint32
}

var (
	current     atomic.Pointer[run]
	connections atomic.Int64
	handshakes  atomic.Int64
	resumptions atomic.Int64
)

func newRun(mean, jitter time.Duration, jobs int) *run {
	return &run{mean: mean, jitter: jitter, seen: make([]uint32, jobs), latencies: make([]uint32, buckets)}
}

func (r *run) note(body []byte) {
	now := time.Now()
	if r.pushes.Add(1) == 1 {
		r.began.Store(now.UnixNano())
	}
	r.ended.Store(now.UnixNano())
	fields := bytes.SplitN(body, []byte("@"), 4)
	if len(fields) < 4 {
		return
	}
	number, err := strconv.Atoi(string(fields[1]))
	if err != nil || number < 0 || number >= len(r.seen) {
		return
	}
	if atomic.AddUint32(&r.seen[number], 1) == 1 {
		r.distinct.Add(1)
	}
	if enqueued, err := strconv.ParseInt(string(fields[2]), 10, 64); err == nil && enqueued > 0 {
		at := (now.UnixMicro() - enqueued) / bucketWidth
		if at < 0 {
			at = 0
		} else if at >= buckets {
			at = buckets - 1
		}
		atomic.AddUint32(&r.latencies[at], 1)
	}
}

// percentile in milliseconds.
func (r *run) percentile(share float64) float64 {
	var total, sum float64
	for i := range r.latencies {
		total += float64(r.latencies[i])
	}
	for i := range r.latencies {
		if sum += float64(r.latencies[i]); sum > 0 && sum >= share*total {
			return float64(i) * bucketWidth / 1000
		}
	}
	return 0
}

func (r *run) delay() time.Duration {
	if r.jitter == 0 {
		return r.mean
	}
	return r.mean - r.jitter + time.Duration(random.Int63n(int64(2*r.jitter)+1))
}

const tokenAnswer = `{"access_token":"72_bench-far-end-0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefghijklmnopqrstuvwxyz","expires_in":7200}`

func answer(out []byte, body string) []byte {
	out = append(out, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json; encoding=utf-8\r\n"+
		"Date: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, "\r\n\r\n"...)
	return append(out, body...)
}

// request reads one request: whether it was a push, its body (in the buffer given, grown).
func request(in *bufio.Reader, buffer []byte) (push bool, body []byte, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return false, buffer, err
	}
	push = bytes.Contains(line, []byte("/message/"))
	length := 0
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return false, buffer, err
		}
		if len(line) <= 2 {
			break
		}
		const name = "content-length:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
				return false, buffer, err
			}
		}
	}
	if cap(buffer) < length {
		buffer = make([]byte, length)
	}
	body = buffer[:length]
	_, err = io.ReadFull(in, body)
	return push, body, err
}

func serve(raw net.Conn, config *tls.Config) {
	defer raw.Close()
	connection := tls.Server(raw, config)
	if connection.Handshake() != nil {
		return
	}
	handshakes.Add(1)
	if connection.ConnectionState().DidResume {
		resumptions.Add(1)
	}
	connections.Add(1)
	defer connections.Add(-1)
	in := bufio.NewReaderSize(connection, 4096)
	var body, out []byte
	for msgid := int64(1); ; msgid++ {
		push, read, err := request(in, body)
		if err != nil {
			return
		}
		body = read
		text := tokenAnswer
		if push {
			counted := current.Load()
			counted.note(body)
			if counted.mean > 0 {
				time.Sleep(counted.delay())
			}
			text = `{"errcode":0,"errmsg":"ok","msgid":` + strconv.FormatInt(msgid+2_500_000_000_000_000_000, 10) + `}`
		}
		out = answer(out[:0], text)
		if _, err = connection.Write(out); err != nil {
			return
		}
	}
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func number(r *http.Request, name string) int {
	value, _ := strconv.Atoi(r.URL.Query().Get(name))
	return value
}

func control(listener net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("/reset", func(w http.ResponseWriter, r *http.Request) {
		ms := func(name string) time.Duration { return time.Duration(number(r, name)) * time.Millisecond }
		current.Store(newRun(ms("mean"), ms("jitter"), number(r, "jobs")))
		handshakes.Store(0)
		resumptions.Store(0)
	})
	mux.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		counted := current.Load()
		stats := map[string]any{
			"pushes": counted.pushes.Load(), "distinct": counted.distinct.Load(),
			"began": float64(counted.began.Load()) / 1e9, "ended": float64(counted.ended.Load()) / 1e9,
			"connections": connections.Load(), "handshakes": handshakes.Load(), "resumptions": resumptions.Load(),
			"cpu": cpuSeconds(),
		}
		if r.URL.Query().Has("latency") {
			stats["p50"], stats["p99"], stats["p999"] =
				counted.percentile(0.5), counted.percentile(0.99), counted.percentile(0.999)
		}
		json.NewEncoder(w).Encode(stats)
	})
	log.Fatal(http.Serve(listener, mux))
}

// certificate for 127.0.0.1 and localhost, signed by itself; its PEM goes to ca.pem in the folder.
func certificate(folder string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	must(os.WriteFile(filepath.Join(folder, "ca.pem"), text, 0o644))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	folder := flag.String("dir", ".", "where ca.pem goes")
	flag.Parse()
	config := &tls.Config{Certificates: []tls.Certificate{certificate(*folder)}, MinVersion: tls.VersionTLS12}
	current.Store(newRun(0, 0, 0))
	pushes, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	controls, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("{\"url\": \"https://%s\", \"control\": \"http://%s\"}\n", pushes.Addr(), controls.Addr())
	go control(controls)
	var once sync.Once
	for {
		connection, err := pushes.Accept()
		if err != nil {
			once.Do(func() { log.Print(err) }) // Out of descriptors: others will close theirs.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go serve(connection, config)
	}
}
