"""Trackers: programs that show the curves of runs, such as TensorBoard, which follow what runs write.

A tracker works in a process of its own, which reads ``curve.jsonl``; training knows nothing of it.
"""
