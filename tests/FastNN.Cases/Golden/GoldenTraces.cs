using System.Globalization;
using System.Text.RegularExpressions;

namespace FastNN.Testing;

/// <summary>
/// Whole trainings: the same first weights and batches must give the same losses, first output and last weights.
/// </summary>
internal static partial class GoldenTraces
{
    /// <summary>What the case says of its LSTM, with commas of its own.</summary>
    private const string LastStep = " (1 layer, batch first, zero initial state), last time step";

    public static Dictionary<string, Action<GoldenCase, Device>> All { get; } = new()
    {
        ["trace_mlp"] = Follow,
        ["trace_autoencoder"] = Follow,
        ["trace_binary_classifier"] = Follow,
        ["trace_lenet"] = Follow,
        ["trace_cnn_batchnorm"] = Follow,
        ["trace_lstm_classifier"] = Follow,
    };

    private static void Follow(GoldenCase golden, Device device)
    {
        Attributes attributes = golden.Attributes;
        Sequential model = Model(golden);
        Loss loss = LossOf(attributes.String("loss"));
        Optimizer optimizer = GoldenOptimizers.Create(attributes.String("optimizer"), attributes);
        (int batches, int steps) = (attributes.Int("batches"), attributes.Int("steps"));
        Port x = Batch(golden, "x");
        attributes.Skip("batch");
        model.Build(x.EngineShape.DropFirst());
        foreach ((string name, Parameter parameter) in model.NamedParameters)
        {
            var values = new float[parameter.Count];
            parameter.Layout.FromFile(parameter.Shape, golden.Floats("init." + name), values);
            parameter.Write(values);
        }

        var first = new float[golden.ShapeOf("y_first").Aggregate(1, (product, extent) => product * extent)];
        float[] firstBatch = x.ToEngine(Slice(golden.Floats("x"), 0, batches));
        bool batchNorm = golden.Has("y_eval_final");
        if (batchNorm)
        {
            attributes.Require("batchnorm", "eps 1e-5, momentum 0.1");
        }
        else
        {
            Predict(model, device, firstBatch, first);
            golden.Compare("y_first", first);
        }

        using var trainer = new Trainer(model, device, loss, optimizer);
        var losses = new float[steps];
        for (int step = 0; step < steps; step++)
        {
            float[] batch = x.ToEngine(Slice(golden.Floats("x"), step % batches, batches));
            losses[step] = loss.ClassIndices
                ? trainer.TrainBatch(batch, Slice(golden.Integers("target"), step % batches, batches))
                : trainer.TrainBatch(batch, Slice(golden.Floats("target"), step % batches, batches));
            if (step == 0)
            {
                trainer.ReadOutput(first);
                golden.Compare("y_first", first);
            }
        }

        golden.Compare("loss", losses);
        if (batchNorm)
        {
            Predict(model, device, firstBatch, first);
            golden.Compare("y_eval_final", first);
        }

        foreach ((string name, Parameter parameter) in model.NamedParameters)
        {
            var engine = new float[parameter.Count];
            var file = new float[parameter.Count];
            parameter.Read(engine);
            parameter.Layout.ToFile(parameter.Shape, engine, file);
            golden.Compare("final." + name, file);
        }
    }

    private static void Predict(Layer model, Device device, float[] x, float[] y)
    {
        using Predictor predictor = model.CreatePredictor(device);
        predictor.Predict(x, y);
    }

    /// <summary>One batch of a tensor [batches, N, ...]; images are NCHW.</summary>
    private static Port Batch(GoldenCase golden, string name)
    {
        int[] shape = golden.ShapeOf(name)[1..];
        return new Port(name, shape, shape.Length == 4 ? [0, 2, 3, 1] : null);
    }

    private static T[] Slice<T>(T[] all, int index, int count)
    {
        int length = all.Length / count;
        return all[(index * length)..((index + 1) * length)];
    }

    /// <summary>
    /// The layers as the case words them. Those with parameters take their names in turn from the file: init.NAME.weight.
    /// </summary>
    private static Sequential Model(GoldenCase golden)
    {
        var names = new Queue<string>(golden.TensorNames
            .Where(name => name.StartsWith("init.", StringComparison.Ordinal))
            .Select(name => name.Split('.')[1])
            .Distinct());
        string all = golden.Attributes.String("layers").Replace(LastStep, " last", StringComparison.Ordinal);
        Layer[] layers = Array.ConvertAll(all.Split(", "), words => LayerOf(words, names));
        return new Sequential(layers);
    }

    private static Layer LayerOf(string words, Queue<string> names)
    {
        if (LinearWords().Match(words) is { Success: true } linear)
        {
            return new Dense(Number(linear, "units")) { UseBias = !linear.Groups["nobias"].Success, Name = names.Dequeue() };
        }

        if (ConvWords().Match(words) is { Success: true } conv)
        {
            int padding = conv.Groups["p"].Success ? Number(conv, "p") : 0;
            int stride = conv.Groups["s"].Success ? Number(conv, "s") : 1;
            return new Conv2D(Number(conv, "filters"), Number(conv, "k"))
            {
                Name = names.Dequeue(),
                Stride = (stride, stride),
                Padding = Padding2D.Symmetric(padding, padding),
                UseBias = !conv.Groups["nobias"].Success,
            };
        }

        if (MaxPoolWords().Match(words) is { Success: true } pool)
        {
            return new MaxPool2D(Number(pool, "k"));
        }

        if (LstmWords().Match(words) is { Success: true } lstm)
        {
            return new Lstm(Number(lstm, "units")) { ReturnSequences = false, Name = names.Dequeue() };
        }

        return words switch
        {
            "relu" => new ActivationLayer(Activation.ReLU),
            "sigmoid" => new ActivationLayer(Activation.Sigmoid),
            "tanh" => new ActivationLayer(Activation.Tanh),
            "flatten" => new Flatten(),
            "batchnorm" => new BatchNorm2D { Name = names.Dequeue() },
            "global average pool" => new GlobalAvgPool2D(),
            _ => throw new UnsupportedCaseException($"layer {words}"),
        };
    }

    private static Loss LossOf(string words) => words switch
    {
        "cross_entropy mean" => Loss.SparseCrossEntropy,
        "bce mean" => Loss.BinaryCrossEntropy,
        "mse mean" or "mse mean against the input" => Loss.MeanSquaredError,
        _ => throw new UnsupportedCaseException($"loss {words}"),
    };

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^linear \d+-(?<units>\d+)(?<nobias> no bias)?$")]
    private static partial Regex LinearWords();

    [GeneratedRegex(@"^conv \d+-(?<filters>\d+) k(?<k>\d+)( s(?<s>\d+))?( p(?<p>\d+))?(?<nobias> no bias)?$")]
    private static partial Regex ConvWords();

    [GeneratedRegex(@"^lstm \d+-(?<units>\d+) last$")]
    private static partial Regex LstmWords();

    [GeneratedRegex(@"^maxpool (?<k>\d+)$")]
    private static partial Regex MaxPoolWords();
}
