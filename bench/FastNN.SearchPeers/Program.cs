using System.Globalization;
using FastNN;
using FastNN.Data;
using FastNN.Search;
using FastNN.Tests.Search;

// FastNN.SearchPeers table mnist-mlp|mnist-cnn PLACES > TABLE.csv    trains at so many places
// FastNN.SearchPeers run mnist-mlp|mnist-cnn|branin|hartmann6 [SEEDS] the regret of each sampler
// FastNN.SearchPeers importance mnist-mlp|mnist-cnn TABLE.csv        what matters in it
const int Digits = 2000, Trials = 100;
const ulong TableSeed = 12345;
if (args is ["table", var tabled, var count])
{
    Fill(tabled, int.Parse(count, CultureInfo.InvariantCulture));
    return 0;
}

if (args is ["run", var searched, ..])
{
    int seeds = args.Length > 2 ? int.Parse(args[^1], CultureInfo.InvariantCulture) : 30;
    (SearchSpace space, Func<Trial, double> value, double least) = FunctionOf(searched);
    foreach ((string name, Func<Sampler> create) in (ReadOnlySpan<(string, Func<Sampler>)>)[
        ("TpeSampler", () => new TpeSampler()), ("CmaEsSampler", () => new CmaEsSampler()),
        ("RandomSampler", () => new RandomSampler())])
    {
        double[] regrets =
        [
            .. Enumerable.Range(0, seeds)
                .Select(seed => TabularSpace.RegretOf(space, value, least, create(), (ulong)seed, Trials)).Order(),
        ];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{searched} {name}: median regret {(regrets[(seeds - 1) / 2] + regrets[seeds / 2]) / 2:F5} (quartiles {regrets[seeds / 4]:F5}, {regrets[3 * seeds / 4]:F5}) of {seeds} seeds after {Trials} trials, above {least:F5}"));
    }

    return 0;
}

if (args is ["importance", var looked, var table])
{
    var study = new Study(SpaceOf(looked), new RandomSampler(), seed: TableSeed);
    foreach (string row in File.ReadLines(table).Skip(1))
    {
        study.Tell(study.Ask(), double.Parse(row.Split(',')[^1], CultureInfo.InvariantCulture));
    }

    foreach (ParameterImportance one in study.Importance())
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{one.Name} {one.Share:P1}"));
    }

    return 0;
}

Console.Error.WriteLine(
    "FastNN.SearchPeers table SPACE PLACES, run SPACE [SEEDS], or importance SPACE TABLE; spaces are mnist-mlp and mnist-cnn, of run also branin and hartmann6");
return 2;

static (SearchSpace Space, Func<Trial, double> Value, double Least) FunctionOf(string name)
{
    if (name == "branin")
    {
        return (
            new SearchSpace(new FloatParameter("x", -5, 10), new FloatParameter("y", 0, 15)),
            trial => Functions.Branin(trial.Float("x"), trial.Float("y")), 0.397887);
    }

    if (name == "hartmann6")
    {
        return (
            new SearchSpace(Enumerable.Range(0, 6).Select(i => new FloatParameter($"x{i}", 0, 1))),
            trial => Functions.Hartmann6([.. Enumerable.Range(0, 6).Select(i => trial.Float($"x{i}"))]), -3.32237);
    }

    string table = Path.Combine(AppContext.BaseDirectory, "tables", $"{name}.csv");
    var tabular = new TabularSpace(SpaceOf(name), File.ReadAllLines(table));
    return (tabular.Space, tabular.ValueOf, tabular.Least);
}

static SearchSpace SpaceOf(string name) => name switch
{
    "mnist-mlp" => TabularSpace.MnistMlp,
    "mnist-cnn" => TabularSpace.MnistCnn,
    _ => throw new ArgumentException($"expected mnist-mlp or mnist-cnn, got {name}"),
};

static void Fill(string name, int places)
{
    Dataset digits = Mnist.Load().Train.Take(2 * Digits);
    DatasetSplit split = digits.Split(Digits);
    using Device device = Device.Cpu(1);
    SearchSpace space = SpaceOf(name);
    var study = new Study(space, new RandomSampler(), seed: TableSeed);
    Console.WriteLine($"{string.Join(',', space.Parameters.Select(parameter => parameter.Name))},error");
    for (int i = 0; i < places; i++)
    {
        Trial trial = study.Ask();
        (Layer model, Optimizer optimizer, int epochs) = name == "mnist-mlp" ? Mlp(trial) : Cnn(trial);
        double error = Train(model, optimizer, epochs, trial.Int("batch"), split, device);
        study.Tell(trial, error);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{string.Join(',', space.Parameters.Select(parameter => trial.Text(parameter.Name)))},{error:0.#####}"));
    }
}

static (Layer Model, Optimizer Optimizer, int Epochs) Mlp(Trial trial)
{
    Activation activation = trial.Choice("activation") switch
    {
        "relu" => Activation.ReLU,
        "tanh" => Activation.Tanh,
        _ => Activation.Sigmoid,
    };
    var rate = (float)trial.Float("lr");
    return (
        new Sequential(
            new Flatten(), new Dense(trial.Int("width"), activation), new Dropout((float)trial.Float("dropout")), new Dense(10)),
        trial.Choice("optimizer") == "adam" ? new Adam(rate) : new Sgd(rate), 2);
}

static (Layer Model, Optimizer Optimizer, int Epochs) Cnn(Trial trial) => (
    new Sequential(
        new Conv2D(trial.Int("filters"), int.Parse(trial.Choice("kernel"), CultureInfo.InvariantCulture), Activation.ReLU),
        new MaxPool2D(2), new Flatten(), new Dropout((float)trial.Float("dropout")), new Dense(10)),
    new AdamW((float)trial.Float("lr"), weightDecay: (float)trial.Float("weight_decay")), 1);

// The share of the held-out digits that is taken for another; 1 where training fails.
static double Train(Layer model, Optimizer optimizer, int epochs, int batch, DatasetSplit split, Device device)
{
    using var trainer = new Trainer(model, device, Loss.SparseCrossEntropy, optimizer, seed: 0);
    try
    {
        trainer.Fit(split.Train, epochs, batch);
    }
    catch (NonFiniteLossException)
    {
        return 1;
    }

    return 1 - trainer.Evaluate(split.Test).Accuracy!.Value;
}
