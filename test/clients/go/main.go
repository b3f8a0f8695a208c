// client-go: an informer hears an InferenceService become Ready and go, driven by a dynamic client and a typed one.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

var services = schema.GroupVersionResource{Group: "serving.kserve.io", Version: "v1beta1", Resource: "inferenceservices"}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	objects, err := dynamic.NewForConfig(config)
	must(err)
	typed, err := kubernetes.NewForConfig(config)
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()

	// Typed writes travel as protobuf.
	_, err = typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "go-client"}}, metav1.CreateOptions{})
	must(err)
	_, err = typed.CoreV1().ConfigMaps("go-client").Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "settings", Labels: map[string]string{"a": "b"}},
		Data:       map[string]string{"key": "value"},
	}, metav1.CreateOptions{})
	must(err)

	ready, gone := make(chan string, 1), make(chan bool, 1)
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(objects, 0, "go-client", nil)
	informer := factory.ForResource(services).Informer()
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { tell(object, ready) },
		UpdateFunc: func(_, object any) { tell(object, ready) },
		DeleteFunc: func(any) { gone <- true },
	})
	must(err)
	pods := informers.NewSharedInformerFactoryWithOptions(typed, 0, informers.WithNamespace("go-client"))
	podLister := pods.Core().V1().Pods().Lister()
	pods.Core().V1().Pods().Informer()
	factory.Start(ctx.Done())
	pods.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	pods.WaitForCacheSync(ctx.Done())

	_, err = objects.Resource(services).Namespace("go-client").Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "serving.kserve.io/v1beta1",
		"kind":       "InferenceService",
		"metadata":   map[string]any{"name": "go-iris"},
		"spec": map[string]any{"predictor": map[string]any{"model": map[string]any{
			"modelFormat": map[string]any{"name": "onnx"}, "storageUri": os.Args[2],
		}}},
	}}, metav1.CreateOptions{})
	must(err)
	select {
	case url := <-ready:
		fmt.Println("ready", url)
	case <-ctx.Done():
		panic("never ready")
	}
	if list, err := podLister.List(labels.Everything()); err != nil || len(list) != 1 {
		panic(fmt.Sprintf("pods: %v %v", list, err))
	}

	must(objects.Resource(services).Namespace("go-client").Delete(ctx, "go-iris", metav1.DeleteOptions{}))
	select {
	case <-gone:
		fmt.Println("gone")
	case <-ctx.Done():
		panic("never gone")
	}
	must(typed.CoreV1().Namespaces().Delete(ctx, "go-client", metav1.DeleteOptions{}))
}

func tell(object any, ready chan<- string) {
	service := object.(*unstructured.Unstructured)
	conditions, _, _ := unstructured.NestedSlice(service.Object, "status", "conditions")
	for _, one := range conditions {
		condition := one.(map[string]any)
		if condition["type"] == "Ready" && condition["status"] == "True" {
			url, _, _ := unstructured.NestedString(service.Object, "status", "url")
			select {
			case ready <- url:
			default:
			}
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
