using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Stars that users give to films: matrix factorization (Koren et al., 2009) and neural collaborative filtering (He et al.,
/// 2017), averaged. Both know users, films, and sittings: what a user rates within an hour shares a mood (Koren, 2010,
/// "Collaborative filtering with temporal dynamics").
/// </summary>
internal sealed class Movies : ScriptedRecipe
{
    private const int Batch = 512;
    private const long Sitting = 3600;
    private const float BiasPenalty = 3, SittingPenalty = 10;

    public override string Name => "movies";

    public override string Network =>
        "biases of users, films and sittings, with the product of user and film vectors, or with Dense 64 ReLU on both";

    public override string DataDescription => "MovieLens, 100,004 ratings of 9,066 films by 671 users; a random fifth to test";

    public override string TrainingDescription =>
        "mean squared error with ridge penalties, Adam 5e-3 in one cycle, batch 512, 15 epochs; both models averaged";

    public override Goal Goal => new("test RMSE", 0.868, AtMost: true);

    public override Goal QuickGoal => new("test RMSE", 0.90, AtMost: true);

    public override IReadOnlyList<string> Files => ["biases.safetensors", "factorization.safetensors", "network.safetensors"];

    public override double Run(ScriptRun run)
    {
        MovielensData movies = Movielens.Load(run.Data, run.Say, run.Cancellation);
        (Ratings train, Ratings test) = Ratings.Split(movies);
        run.Figure("test RMSE of the mean", test.Error(Enumerable.Repeat(train.Mean, test.Count)));
        int epochs = run.Pick(15, 3);
        float[] biases = Train(run, "biases", Build(movies, train, width: 0, null), 0, train, test, epochs);
        run.Figure("test RMSE of the biases", test.Error(biases));
        float[] factors = Train(run, "factorization", Build(movies, train, 16, Product), 10, train, test, epochs);
        run.Figure("test RMSE of the factorization", test.Error(factors));
        float[] network = Train(run, "network", Build(movies, train, 16, Dense), 20, train, test, epochs);
        run.Figure("test RMSE of the network", test.Error(network));
        return test.Error(factors.Zip(network, (a, b) => (a + b) / 2));
    }

    private static Symbol Product(Symbol user, Symbol film) => new Total().Apply(new Multiply().Apply(user, film));

    private static Symbol Dense(Symbol user, Symbol film)
    {
        Symbol both = new Dropout(0.3f).Apply(Symbol.Concat(user, film));
        return new Dense(1).Apply(new Dropout(0.3f).Apply(new Dense(64, Activation.ReLU).Apply(both)));
    }

    private static FastNN.Model Build(MovielensData movies, Ratings ratings, int width, Func<Symbol, Symbol, Symbol>? combine)
    {
        Symbol user = FastNN.Model.Input("user", [], DType.Int32), film = FastNN.Model.Input("film", [], DType.Int32),
        sitting = FastNN.Model.Input("sitting", [], DType.Int32);
        Symbol stars = new Add().Apply(
            Vector(user, movies.Users, 1), Vector(film, movies.Films.Count, 1), Vector(sitting, ratings.SittingCount, 1));
        if (combine is not null)
        {
            stars = new Add().Apply(
                stars, combine(Vector(user, movies.Users, width), Vector(film, movies.Films.Count, width)));
        }

        return new FastNN.Model([user, film, sitting], [("stars", stars)]);
    }

    private static Symbol Vector(Symbol of, int entries, int size) => new Embedding(entries, size)
    {
        WeightInitializer = Initializer.Normal(0, 0.05f),
    }.Apply(of);

    private static float[] Train(
        ScriptRun run, string name, FastNN.Model model, float penalty, Ratings train, Ratings test, int epochs)
    {
        model.Build(run.Seed);
        int steps = epochs * (train.Count / Batch);
        using var weights = new DeviceWeights(run.Device, model);
        using var step = new TrainingStep(
            weights,
            s =>
            {
                Value stars = model.Apply(
                    s.Input("user", [Dim.Batch], DType.Int32), s.Input("film", [Dim.Batch], DType.Int32),
                    s.Input("sitting", [Dim.Batch], DType.Int32))[0];
                s.Loss("squared error", Loss.MeanSquaredError.Apply(stars, s.Input("stars", [Dim.Batch, 1])));
                foreach ((NamedParameter named, int i) in model.NamedParameters.Select((named, i) => (named, i)))
                {
                    // As in ridge regression the penalty counts once for each user, film or sitting, however many ratings it has.
                    float weight = named.Parameter.Shape[^1] != 1 ? penalty
                        : named.Parameter.Shape[0] == train.SittingCount ? SittingPenalty : BiasPenalty;
                    s.Loss($"ridge {i}", s.Graph.Use(named.Parameter).Square().Sum(), weight / train.Count);
                }
            },
            [(new Adam { Schedule = Schedule.OneCycle(5e-3f, steps) }, model.Parameters)], run.Seed);
        using ScriptPhase phase = run.Begin(name, steps);
        var random = new Random((int)run.Seed);
        int[] order = [.. Enumerable.Range(0, train.Count)];
        step.Begin([Batch], [Batch], [Batch], [Batch, 1]);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(order);
            for (int first = 0; first + Batch <= order.Length; first += Batch)
            {
                ReadOnlySpan<int> rows = order.AsSpan(first, Batch);
                step.Write("user", Pick(train.Users, rows));
                step.Write("film", Pick(train.Films, rows));
                step.Write("sitting", Pick(train.Sittings, rows));
                step.Write("stars", Pick(train.Centered, rows));
                phase.Step(step.Run());
            }
        }

        run.KeepWeights($"{name}.safetensors", model);
        using Session session = weights.CreateSession(model);
        using SessionRun prediction = session.Begin([test.Count], [test.Count], [test.Count]);
        var stars = new float[test.Count];
        prediction.Write<int>(0, test.Users);
        prediction.Write<int>(1, test.Films);
        prediction.Write<int>(2, test.Sittings);
        prediction.Compute();
        prediction.Read<float>(0, stars);
        return Array.ConvertAll(stars, value => Math.Clamp(value + train.Mean, 0.5f, 5));
    }

    private static T[] Pick<T>(T[] values, ReadOnlySpan<int> rows)
    {
        var picked = new T[rows.Length];
        for (int i = 0; i < picked.Length; i++)
        {
            picked[i] = values[rows[i]];
        }

        return picked;
    }

    /// <summary>The sum of the last axis.</summary>
    private sealed class Total : Layer
    {
        protected override Value Forward(Value x) => x.Sum([-1], keepDims: true);
    }

    /// <summary>Ratings as arrays.</summary>
    private sealed class Ratings
    {
        private readonly float[] _stars;

        private Ratings(Dataset all, int[] rows, int[] sittings)
        {
            (Users, Films, _stars) = (new int[rows.Length], new int[rows.Length], new float[rows.Length]);
            Span<float> pair = stackalloc float[2];
            for (int i = 0; i < rows.Length; i++)
            {
                all.CopyFeatures(rows[i], pair);
                (Users[i], Films[i]) = ((int)pair[0], (int)pair[1]);
                all.CopyTarget(rows[i], _stars.AsSpan(i, 1));
            }

            (Sittings, SittingCount) = (Pick(sittings, rows), sittings.Max() + 1);
            Mean = _stars.Average();
            Centered = Array.ConvertAll(_stars, value => value - Mean);
        }

        public int[] Users { get; }

        public int[] Films { get; }

        public int[] Sittings { get; }

        /// <summary>Sittings of all ratings, those of the other part included.</summary>
        public int SittingCount { get; }

        public float Mean { get; }

        /// <summary>Stars less their mean.</summary>
        public float[] Centered { get; }

        public int Count => _stars.Length;

        /// <summary>A random fifth to test on, the same for every seed of a run.</summary>
        public static (Ratings Train, Ratings Test) Split(MovielensData movies)
        {
            Dataset all = movies.Ratings;
            var indices = new Dictionary<(int User, long Hour), int>();
            var sittings = new int[all.Count];
            Span<float> pair = stackalloc float[2];
            for (int i = 0; i < sittings.Length; i++)
            {
                all.CopyFeatures(i, pair);
                (int, long) key = ((int)pair[0], movies.Times[i] / Sitting);
                if (!indices.TryGetValue(key, out sittings[i]))
                {
                    indices.Add(key, sittings[i] = indices.Count);
                }
            }

            int[] rows = [.. Enumerable.Range(0, all.Count)];
            new Random(0).Shuffle(rows);
            int held = all.Count / 5;
            return (new Ratings(all, rows[held..], sittings), new Ratings(all, rows[..held], sittings));
        }

        /// <summary>The root of the mean squared error.</summary>
        public double Error(IEnumerable<float> predictions) =>
            Math.Sqrt(predictions.Zip(_stars, (a, b) => (double)(a - b) * (a - b)).Average());
    }
}
