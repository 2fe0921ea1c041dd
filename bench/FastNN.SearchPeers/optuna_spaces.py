"""The spaces of FastNN.SearchPeers searched by Optuna: python3 optuna_spaces.py mnist-mlp TABLE.csv [SEEDS]"""
import csv
import math
import statistics
import sys
import warnings

import optuna

TRIALS, NEIGHBORS, CHOICE_DISTANCE = 100, 5, 0.5
SPACES = {
    "mnist-mlp": [
        ("lr", "float", 1e-5, 1, True), ("batch", "int", 8, 256, True), ("width", "int", 8, 256, True),
        ("dropout", "float", 0, 0.6, False), ("activation", "choice", ["relu", "tanh", "sigmoid"]),
        ("optimizer", "choice", ["adam", "sgd"])],
    "mnist-cnn": [
        ("lr", "float", 1e-5, 1e-1, True), ("batch", "int", 8, 128, True), ("filters", "int", 2, 16, True),
        ("kernel", "choice", ["3", "5"]), ("dropout", "float", 0, 0.6, False),
        ("weight_decay", "float", 1e-6, 1e-1, True)],
}


def place(parameter, value):
    if parameter[1] == "choice":
        return parameter[2].index(value)
    _, _, low, high, is_log = parameter
    value = float(value)
    return math.log(value / low) / math.log(high / low) if is_log else (value - low) / (high - low)


def main(name, path, seeds=30):
    space = SPACES[name]
    with open(path, newline="") as file:
        rows = list(csv.reader(file))[1:]
    places = [[place(p, text) for p, text in zip(space, row)] for row in rows]
    values = [float(row[-1]) for row in rows]

    def objective(trial):
        chosen = [
            trial.suggest_categorical(p[0], p[2]) if p[1] == "choice"
            else (trial.suggest_float if p[1] == "float" else trial.suggest_int)(p[0], p[2], p[3], log=p[4])
            for p in space]
        at = [place(p, value) for p, value in zip(space, chosen)]
        nearest = sorted(
            (sum(((0 if a == b else CHOICE_DISTANCE) if p[1] == "choice" else a - b) ** 2 for p, a, b in zip(space, at, other)), i)
            for i, other in enumerate(places))[:NEIGHBORS]
        weights = [1 / (squared * squared + 1e-12) for squared, _ in nearest]
        return sum(w * values[i] for w, (_, i) in zip(weights, nearest)) / sum(weights)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    for title, options in (("TPESampler", {}), ("TPESampler(multivariate=True)", {"multivariate": True})):
        regrets = []
        for seed in range(seeds):
            study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, **options))
            study.optimize(objective, n_trials=TRIALS)
            regrets.append(study.best_value - min(values))
        quartiles = statistics.quantiles(regrets, n=4)
        print(f"{name} optuna {optuna.__version__} {title}: median regret {statistics.median(regrets):.5f} "
              f"(quartiles {quartiles[0]:.5f}, {quartiles[2]:.5f}) of {seeds} seeds after {TRIALS} trials", flush=True)


main(sys.argv[1], sys.argv[2], *(int(seeds) for seeds in sys.argv[3:]))
