"""JAX with a whole epoch of training steps (batch norms with running statistics, Adam) compiled as
one scan."""
import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

from peer import ROWS, Task, serve  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

task = Task()
steps = ROWS // task.batch
RATE, BETA1, BETA2, EPSILON, MOMENTUM = 1e-3, 0.9, 0.999, 1e-8, 0.1


def initial():
    key = jax.random.PRNGKey(0)
    parameters, statistics = [], []
    for row in task.layers:
        if row["op"] == "linear":
            key, w, b = jax.random.split(key, 3)
            bound = row["in"] ** -0.5
            parameters.append((jax.random.uniform(w, (row["in"], row["out"]), minval=-bound, maxval=bound),
                               jax.random.uniform(b, (row["out"],), minval=-bound, maxval=bound)))
            statistics.append(())
        elif row["op"] == "batch_norm1d":
            parameters.append((jnp.ones(row["in"]), jnp.zeros(row["in"])))
            statistics.append((jnp.zeros(row["in"]), jnp.ones(row["in"])))
        else:
            parameters.append(())
            statistics.append(())
    return parameters, statistics


def loss(parameters, statistics, x, y):
    moved = []
    for row, own, old in zip(task.layers, parameters, statistics):
        new = ()
        if row["op"] == "linear":
            x = x @ own[0] + own[1]
        elif row["op"] == "batch_norm1d":
            mean, variance = x.mean(0), x.var(0)
            x = (x - mean) * jax.lax.rsqrt(variance + 1e-5) * own[0] + own[1]
            unbiased = variance * (task.batch / (task.batch - 1))
            new = (old[0] + MOMENTUM * (mean - old[0]), old[1] + MOMENTUM * (unbiased - old[1]))
        elif row["op"] == "relu":
            x = jax.nn.relu(x)
        moved.append(new)
    chosen = jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1)
    return -chosen.mean(), moved


def train_step(state, batch):
    parameters, statistics, m, v, count = state
    (value, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(parameters, statistics, *batch)
    count = count + 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
    rate = RATE / (1 - BETA1**count)
    root = 1 / jnp.sqrt(1 - BETA2**count)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + EPSILON), parameters, m, v)
    return (parameters, statistics, m, v, count), value


@jax.jit
def epoch(state, xs, ys):
    state, losses = jax.lax.scan(train_step, state, (xs, ys))
    return state, losses.mean()


x, y = task.rows()
xs = jnp.asarray(x[: steps * task.batch].reshape(steps, task.batch, -1))
ys = jnp.asarray(y[: steps * task.batch].reshape(steps, task.batch))
parameters, statistics = initial()
zeros = jax.tree.map(jnp.zeros_like, parameters)
state = (parameters, statistics, zeros, zeros, jnp.zeros((), jnp.float32))


def step():
    global state
    state, value = epoch(state, xs, ys)
    value.block_until_ready()


serve(step, steps * task.batch)
