// grpc-go's own interoperability tests, and net/http, through the gateway. `serve` is the model: gRPC's test service.
// `call ADDRESS AUTHORITY` is the client; it ends with an error at the first thing that is not as gRPC says.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.Serve(listener))
}

func call(address, authority string) {
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithAuthority(authority),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := testgrpc.NewTestServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, test := range []struct {
		name string
		run  func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)
	}{
		{"empty unary", interop.DoEmptyUnaryCall},
		{"large unary", interop.DoLargeUnaryCall},
		{"client streaming", interop.DoClientStreaming},
		{"server streaming", interop.DoServerStreaming},
		{"ping pong", interop.DoPingPong},
		{"empty stream", interop.DoEmptyStream},
		{"cancel after begin", interop.DoCancelAfterBegin},
		{"cancel after first response", interop.DoCancelAfterFirstResponse},
		{"custom metadata and trailers", interop.DoCustomMetadata},
		{"status code and message", interop.DoStatusCodeAndMessage},
		{"special status message", interop.DoSpecialStatusMessage},
		{"deadline", interop.DoTimeoutOnSleepingServer},
		{"unimplemented method", func(_ context.Context, _ testgrpc.TestServiceClient, _ ...grpc.CallOption) {
			interop.DoUnimplementedMethod(ctx, connection)
		}},
	} {
		test.run(ctx, client)
		fmt.Println("ok", test.name)
	}
}

// Go's HTTP/1.1 client: kept connections, a body without a length, a request that is cancelled.
func ask(address, host string) {
	do := func(body io.Reader) string {
		request, _ := http.NewRequest("POST", "http://"+address+"/echo", body)
		request.Host = host
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != 200 {
			log.Fatal(answer.Status, err)
		}
		return string(text)
	}
	large := strings.Repeat("go", 300_000)
	for count := 0; count < 20; count++ {
		if got := do(strings.NewReader(large)); got != large {
			log.Fatalf("%d bytes of %d came back", len(got), len(large))
		}
		// Hidden from net/http, its length must travel in chunks.
		if got := do(io.MultiReader(strings.NewReader("chunked"))); got != "chunked" {
			log.Fatal(got)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/never", nil)
	request.Host = host
	if _, err := http.DefaultClient.Do(request); err == nil {
		log.Fatal("an answer to what is never answered")
	}
	fmt.Println("ok net/http")
}

func main() {
	switch os.Args[1] {
	case "serve":
		serve()
	case "call":
		call(os.Args[2], os.Args[3])
	case "ask":
		ask(os.Args[2], os.Args[3])
	}
}
