// A server as users write them: it listens on PORT, and says what it was given.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	input, _ := io.ReadAll(os.Stdin)
	fmt.Println("up with", os.Args[1:])
	fmt.Fprintln(os.Stderr, "input was", len(input), "bytes")
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "eat":
			eat()
		case "exit":
			fmt.Fprintln(os.Stderr, "no model, no server")
			os.Exit(127)
		}
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		fmt.Println("asked to end")
		os.Exit(0)
	}()
	http.HandleFunc("/", answer)
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		content, err := os.ReadFile(r.URL.Query().Get("path"))
		if err != nil {
			http.Error(w, err.Error(), 404)
			return
		}
		w.Write(content)
	})
	http.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) {
		if err := os.WriteFile(r.URL.Query().Get("path"), []byte("written"), 0o644); err != nil {
			http.Error(w, err.Error(), 403)
		}
	})
	// Another container of the pod, which shares its network.
	http.HandleFunc("/beside", func(w http.ResponseWriter, r *http.Request) {
		found, err := http.Get("http://127.0.0.1:" + r.URL.Query().Get("port") + "/")
		if err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		defer found.Body.Close()
		io.Copy(w, found.Body)
	})
	http.HandleFunc("/say", func(_ http.ResponseWriter, r *http.Request) { fmt.Println(r.URL.Query().Get("words")) })
	http.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	http.HandleFunc("/eat", func(http.ResponseWriter, *http.Request) { eat() })
	port := os.Getenv("PORT")
	if own := os.Getenv("LISTEN_ON"); own != "" {
		port = own
	}
	socket, err := net.Listen("tcp", ":"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	http.Serve(socket, nil)
}

func answer(w http.ResponseWriter, _ *http.Request) {
	env := map[string]string{}
	for _, setting := range os.Environ() {
		name, value, _ := strings.Cut(setting, "=")
		env[name] = value
	}
	host, _ := os.Hostname()
	folder, _ := os.Getwd()
	groups, _ := os.Getgroups()
	json.NewEncoder(w).Encode(map[string]any{
		"args": os.Args[1:], "env": env, "uid": os.Getuid(), "gid": os.Getgid(), "groups": groups,
		"host": host, "folder": folder, "pid": os.Getpid(),
	})
}

func eat() {
	var all [][]byte
	for {
		part := make([]byte, 1<<20)
		for i := range part {
			part[i] = 1
		}
		all = append(all, part)
	}
}
