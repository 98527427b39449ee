"""All scenarios by name. A scenario is a function of a Run."""
from chaos import brokers, delivery, replicas, shutdowns

SCENARIOS = {function.__name__.replace("_", "-"): function for function in (
    replicas.kill_workers, replicas.kill_workers_static, replicas.rolling_restart, replicas.rebalance_storm,
    replicas.rebalance_storm_static, brokers.brokers_of_three, brokers.frozen_broker, brokers.only_broker_away,
    brokers.broker_network, brokers.topic_trouble, brokers.topic_deleted, delivery.stuck_job, delivery.stalled_wechat_memory, delivery.slow_sends,
    delivery.wechat_network, shutdowns.shutdowns, replicas.short)}
# What `scripts/test all` runs.
SELECTION = ("kill-workers", "rolling-restart", "rebalance-storm-static", "frozen-broker", "stuck-job", "wechat-network")
