"""The parts `flumes up`, the demo and the tests run on one machine, each as a child process."""
