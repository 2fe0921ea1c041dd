using System.Globalization;
using FastNN.Data;

namespace FastNN.Users.Tests;

/// <summary>The layers and functions that docs/using-fastnn.md lists, as the page shows them; each is computed once.</summary>
internal sealed class LayerExampleTests(string kind) : UserFixture(kind)
{
    [Test]
    public void Windows()
    {
        (Layer Layer, Shape Example)[] windows =
        [
            (new Conv1D(8, 5, Activation.ReLU) { Padding = Padding1D.Same }, [16, 3]),
            (new Conv2D(8, (3, 1)) { Stride = 2, Padding = (1, 0), Dilation = (2, 1), UseBias = false }, [9, 9, 3]),
            (new Conv3D(4, 3) { Groups = 2 }, [5, 5, 5, 2]),
            (new DepthwiseConv2D(3) { Multiplier = 2 }, [7, 7, 3]),
            (new SeparableConv2D(8, 3, Activation.ReLU), [7, 7, 3]),
            (new ConvTranspose1D(4, 4) { Stride = 2, Padding = 1 }, [8, 3]),
            (new ConvTranspose2D(4, 3) { Stride = 2, Padding = 1, OutputPadding = 1 }, [5, 5, 3]),
            (new ConvTranspose3D(2, 2) { Stride = 2 }, [3, 3, 3, 2]),
            (new MaxPool1D(2), [9, 3]), (new MaxPool2D(3) { Stride = 2, Padding = 1, CeilMode = true }, [8, 8, 3]),
            (new MaxPool3D(2), [4, 4, 4, 2]),
            (new AvgPool1D(2), [8, 3]), (new AvgPool2D(2) { Padding = 1, CountIncludePad = false }, [8, 8, 3]),
            (new AvgPool3D((1, 2, 2)), [4, 4, 4, 2]),
            (new LpPool1D(norm: 2, kernel: 3), [9, 3]), (new LpPool2D(2, 2), [8, 8, 3]), (new LpPool3D(2, 2), [4, 4, 4, 2]),
            (new AdaptiveAvgPool1D(4), [9, 3]), (new AdaptiveAvgPool2D((2, 3)), [7, 8, 3]),
            (new AdaptiveAvgPool3D(2), [5, 4, 3, 2]),
            (new AdaptiveMaxPool1D(4), [9, 3]), (new AdaptiveMaxPool2D((2, 3)), [7, 8, 3]),
            (new AdaptiveMaxPool3D(2), [5, 4, 3, 2]),
            (new GlobalAvgPool1D(), [9, 3]), (new GlobalAvgPool2D(), [4, 5, 3]), (new GlobalAvgPool3D(), [2, 3, 4, 2]),
            (new GlobalMaxPool1D(), [9, 3]), (new GlobalMaxPool2D(), [4, 5, 3]), (new GlobalMaxPool3D(), [2, 3, 4, 2]),
            (new Unfold(3), [6, 6, 2]), (new Fold(output: 6, kernel: 3), [16, 18]),
            (new Upsample { Scale = [2, 2] }, [4, 4, 3]),
            (new Upsample { Size = [7, 9], Mode = InterpolationMode.Linear, AlignCorners = true }, [4, 4, 3]),
            (new Upsample { Scale = [1.5, 2], Mode = InterpolationMode.Cubic }, [4, 4, 3]),
            (new PixelShuffle(2), [3, 3, 8]), (new PixelUnshuffle(2), [4, 4, 3]),
        ];
        Compute(windows);
    }

    [Test]
    public void Products_activations_normalizations_and_shapes()
    {
        SparseMatrix pruned = SparseMatrix.FromDense([0, 2, 0, 0, 0, -1, 0, 0, 0, 0, 3, 4], rows: 4, columns: 3, blockRows: 4);
        (Layer Layer, Shape Example)[] layers =
        [
            (new Dense(4, Activation.Gelu) { WeightRegularizer = Regularizer.L2(1e-4f) }, [3]),
            (new LowRankDense(8, rank: 2), [16]), (new SparseDense(pruned), [3]),
            (new ActivationLayer(Activation.LeakyReLU(0.2f)), [5]), (new ActivationLayer(Activation.HardSwish), [5]),
            (new PReLU(slopes: 3), [4, 4, 3]), (new GLU(), [8]), (new GLU { Gate = GateKind.SiLU }, [8]),
            (new Softmax(), [5]), (new Softmax(logarithm: true), [5]), (new Dropout(0.5f), [5]),
            (new BatchNorm1D(), [5]), (new BatchNorm2D(), [4, 4, 3]), (new BatchNorm3D(), [2, 3, 4, 3]),
            (new LayerNorm(), [7]), (new RMSNorm(), [7]), (new GroupNorm(groups: 2), [4, 4, 6]),
            (new InstanceNorm1D(), [8, 3]), (new InstanceNorm2D { IsAffine = true }, [4, 4, 3]),
            (new InstanceNorm3D { TracksRunningStatistics = true }, [2, 3, 4, 3]), (new LocalResponseNorm(size: 5), [4, 4, 7]),
            (new WeightNorm(new Dense(4)), [3]), (new SpectralNorm(new Conv2D(4, 3)), [5, 5, 2]),
            (new LowRankAdapter(new Dense(4), rank: 2), [3]),
            (new Flatten(), [3, 4]), (new Reshape([2, 6]), [12]), (new Permute(2, 1), [5, 3]),
            (new Checkpoint(new Dense(8), new ActivationLayer(Activation.Mish), new Dense(2)), [3]),
        ];
        Compute(layers);
    }

    [Test]
    public void Sequences()
    {
        (Layer Layer, Shape Example)[] sequences =
        [
            (new SimpleRnn(8, Activation.ReLU), [7, 4]), (new Gru(8) { ReturnSequences = false }, [7, 4]),
            (new Lstm(8) { LayerCount = 2, IsBidirectional = true, DropoutRate = 0.1f }, [7, 4]),
            (new SinusoidalPositions(), [7, 8]), (new LearnedPositions(maxPositions: 32), [7, 8]),
            (new RotaryEmbedding(maxPositions: 32) { Interleaved = true }, [7, 2, 8]),
            (new MultiHeadAttention(width: 8, heads: 2) { Causal = CausalMask.UpperLeft, RotaryPositions = 32 }, [7, 8]),
            (new TransformerEncoder(
                new TransformerEncoderLayer(width: 8, heads: 2, hidden: 16) { NormFirst = true },
                new TransformerEncoderLayer(width: 8, heads: 2, hidden: 16) { NormFirst = true }) { HasNorm = true }, [7, 8]),
        ];
        Compute(sequences);
    }

    [Test]
    public void Layers_of_several_inputs()
    {
        Symbol source = Model.Input("source", [7], DType.Int32), target = Model.Input("target", [5], DType.Int32);
        Symbol memory = new TransformerEncoder(new TransformerEncoderLayer(8, heads: 2, hidden: 16))
            .Apply(new Embedding(entries: 50, dimension: 8) { PaddingIndex = 0 }.Apply(source));
        Symbol decoded = new TransformerDecoder(
            new TransformerDecoderLayer(8, heads: 2, hidden: 16) { Causal = CausalMask.UpperLeft })
            .Apply(new Embedding(50, 8).Apply(target), memory);
        Symbol words = new EmbeddingBag(50, 8, EmbeddingBagMode.Sum) { PaddingIndex = 0 }.Apply(source);
        Symbol both = new Bilinear(3).Apply(new GlobalAvgPool1D().Apply(decoded), words);
        var model = new Model(
            [source, target],
            [("next", new Dense(50).Apply(decoded)), ("both", both), ("joined", new Concatenate().Apply(both, words * words))]);
        model.Build(seed: 1);
        using Session session = model.CreateSession(Device);
        using SessionRun run = session.Begin([2, 7], [2, 5]);
        run.Write<int>("source", [1, 2, 3, 4, 0, 0, 0, 5, 6, 7, 8, 9, 10, 49]);
        run.Write<int>("target", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        run.Compute();
        var next = new float[2 * 5 * 50];
        var joined = new float[2 * 11];
        run.Read<float>("next", next);
        run.Read<float>("joined", joined);
        Assert.That((float[])[.. next, .. joined], Has.All.Matches<float>(float.IsFinite).And.Some.Not.Zero);
    }

    [Test]
    public void Element_by_element()
    {
        Compute((x, i) =>
        {
            Value y = x + 1;
            Value[] functions =
            [
                x.Abs(), -x, x.Sign(), x.Ceiling(), x.Floor(), x.Round(), y.Reciprocal(), x.Square(), x.Sqrt(), y.Rsqrt(),
                x.Exp(), x.Expm1(), y.Log(), x.Log1p(), y.Log2(), y.Log10(), x.Erf(), x.Clamp(0.2f, 0.8f),
                x.Sin(), x.Cos(), x.Tan(), x.Asin(), x.Acos(), x.Atan(), x.Atan2(y), x.Hypot(y),
                x.Sinh(), x.Cosh(), x.Asinh(), y.Acosh(), x.Atanh(),
                x.Sigmoid(), x.Tanh(), x.ReLU(), x.LeakyReLU(0.2f), x.Elu(), x.Celu(2), x.Selu(), x.SiLU(), x.Mish(), x.Gelu(),
                x.GeluTanh(), x.Softplus(), x.Softsign(), x.LogSigmoid(), x.HardSigmoid(), x.HardSwish(), x.HardTanh(), x.ReLU6(),
                x.Threshold(0.5f), x.Softshrink(), x.Hardshrink(), x.Tanhshrink(),
                x.GLU(), x.SwiGLU(), x.GeGLU(), x.ReGLU(),
                x + y, x - y, x * y, x / y, 1 / y, x.Pow(y), x % y, x.Fmod(y), x.Minimum(y), x.Maximum(y),
                x < y, x >= y, x.Equal(y), x.NotEqual(y), (x < 0.3f) | (x > 0.6f), !(x > y) & (x < 2f), (x > 0f) ^ (y > 0f),
                i.BitwiseAnd(6), i.BitwiseOr(1), i.BitwiseXor(i), i.BitwiseNot(), i.ShiftLeft(2), i.ShiftRight(1),
                ShapeOperators.Where(x > 0.5f, x, y), x.MaskedFill(x > 0.5f, 0), x.Cast(DType.Int64), i.Cast(DType.Float32),
            ];
            return functions;
        });
    }

    [Test]
    public void Reductions_shapes_indices_and_products()
    {
        Compute((x, i) =>
        {
            Value[] reductions =
            [
                x.Sum(), x.Mean([0]), x.Prod([-1]), x.Max([0, 1]), x.Min([1], keepDims: true), x.Variance([1]),
                x.StandardDeviation([0], correction: 0), x.Norm(2, [1]), x.Norm(float.PositiveInfinity), x.LogSumExp([1]),
                x.ArgMax(1), x.ArgMin(0), x.CumSum(0), x.CumProd(1, exclusive: true), (x > 0.5f).Any([1]), (x > 0.5f).All(),
                x.TopK(2).Values, x.TopK(2, axis: 0, largest: false).Indices, x.Sort(1, descending: true).Values, x.ArgSort(0),
            ];
            Value[] shapes =
            [
                x.Transpose(), x.Permute(1, 0), x.Reshape([2, 12]), x.Flatten(0), x.Slice(1, 1, 5, 2), x.Slice(0, step: -1),
                x.Split(1, 2, 4)[1], x.Chunk(3)[0], Operators.Concat(0, x, x), ShapeOperators.Stack(0, x, x),
                x.Unsqueeze(0), x.Unsqueeze(2).Squeeze(2), x.Unsqueeze(0).Expand(3, -1, -1), x.Tile(2, 1),
                x.RepeatInterleave(2, axis: 1), x.Flip(0), x.Roll(2, axis: 1), x.Tril(), x.Triu(1), x.Diagonal(),
                x.Pad([0, 0, 2, 1]), x.Pad([1, 1, 2, 2], PadMode.Reflect), x.Pad([1, 0, 1, 0], PadMode.Replicate),
                x.Pad([1, 1, 0, 0], PadMode.Circular),
            ];
            Value[] indices =
            [
                x.Gather(1, i), x.IndexSelect(0, i.Slice(0, 0, 1).Reshape([6])), x.Scatter(1, i, x), x.ScatterAdd(1, i, x),
                i.OneHot(4), i.Embedding(x), i.EmbeddingBag(x),
            ];
            Value[] products =
            [
                x.MatMul(x, transposeB: true), ShapeOperators.Stack(0, x, x).MatMul(x.Transpose()),
                ProductOperators.Einsum("ij,kj->ik", x, x), x.Bilinear(x, x.Graph.Constant(new float[36], [1, 6, 6])),
                x.Transpose().SparseMatMul(SparseMatrix.FromCsr(2, 6, [0, 1, 3], [4, 0, 5], [1, -2, 3])),
            ];
            return [.. reductions, .. shapes, .. indices, .. products];
        });
    }

    [Test]
    public void Positions_that_are_not_zero_are_found_on_the_host()
    {
        int[][] places = HostOperators.NonZero<float>([0, 1, 0, 2], [2, 2]);    // [0, 1] and [1, 1]
        Assert.That(places, Is.EqualTo(new int[][] { [0, 1], [1, 1] }));
    }

    [Test]
    public void Attention_with_a_cache_of_keys_and_values()
    {
        var graph = new Graph(GraphMode.Inference);
        int seen = Dim.Named("seen");
        Value query = graph.Input([Dim.Batch, 4, 1, 8], name: "query");        // [B, heads, new positions, width]
        Value keys = graph.Input([Dim.Batch, 2, seen, 8], name: "keys");       // fewer heads: grouped queries
        Value values = graph.Input([Dim.Batch, 2, seen, 5], name: "values");
        Value y = query.ScaledDotProductAttention(keys, values, causal: CausalMask.LowerRight);
        using Session session = graph.Compile(Device, [y]);
        foreach (int length in new[] { 1, 6 })
        {
            using SessionRun run = session.Begin([1, 4, 1, 8], [1, 2, length, 8], [1, 2, length, 5]);
            run.Write<float>("query", Numbers(32, 1));
            run.Write<float>("keys", Numbers(2 * length * 8, 2));
            float[] of = Numbers(2 * length * 5, 3), output = new float[20];
            run.Write<float>("values", of);
            run.Compute();
            run.Read<float>(0, output);
            Assert.That(output, Has.All.InRange(of.Min() - 1e-5f, of.Max() + 1e-5f), "means of values");
        }
    }

    [Test]
    public void Losses_and_metrics()
    {
        Loss[] ofNumbers =
        [
            Loss.MeanSquaredError, Loss.MeanAbsoluteError, new HuberLoss(delta: 0.5f), new SmoothL1Loss(), new PoissonLoss(),
            new HingeLoss(), new HingeEmbeddingLoss(), Loss.BinaryCrossEntropyWithLogits, new FocalLoss(gamma: 2),
            new DiceLoss { FromLogits = true },
        ];
        Loss[] ofClasses =
        [
            Loss.SparseCrossEntropy, new CrossEntropyLoss { ClassIndices = true, LabelSmoothing = 0.1f, IgnoreIndex = 3 },
            new MultiMarginLoss(),
        ];
        Metric[] metrics =
        [
            Metric.Accuracy, new TopK(2), Metric.Precision, Metric.Recall, Metric.F1, Metric.IoU, Metric.Dice, Metric.Perplexity,
        ];
        Metric[] errors = [Metric.MeanAbsoluteError, Metric.MeanSquaredError, Metric.RootMeanSquaredError, Metric.R2];
        float[] x = Numbers(24, 1);
        Dataset numbers = Dataset.FromFloats(x, [2], [.. Enumerable.Range(0, 36).Select(i => (float)(i * 5 % 2))], [3]);
        Dataset classes = Dataset.FromFloats(x, [2], [.. Enumerable.Range(0, 12).Select(i => i * 5 % 3)], classes: 3);
        foreach (Loss loss in (Loss[])[.. ofNumbers, .. ofClasses])
        {
            Dataset data = ofNumbers.Contains(loss) ? numbers : classes;
            using var trainer = new Trainer(new Sequential(new Dense(3)), Device, loss, new Sgd(), seed: 1);
            Assert.That(trainer.Fit(data, batchSize: 4).Epochs[0].Loss, Is.Not.NaN, loss.Name);
            Metric[] asked = data == classes ? metrics : loss == Loss.MeanSquaredError ? errors : [];
            Assert.That(trainer.Evaluate(data, metrics: asked).Metrics.Count, Is.EqualTo(asked.Length));
        }
    }

    [Test]
    public void Optimizers_and_schedules()
    {
        Optimizer[] optimizers =
        [
            new Sgd(0.1f, momentum: 0.9f, nesterov: true), new Adam(), new Adam(amsGrad: true), new AdamW(weightDecay: 0.05f),
            new NAdam(), new RAdam(), new Adamax(), new Adagrad(), new Adadelta(), new RmsProp(centered: true), new Lion(),
            new Lamb(), new Muon(),
        ];
        Schedule[] schedules =
        [
            Schedule.Constant(0.1f), Schedule.Linear(0.1f, steps: 100), Schedule.Cosine(0.1f, steps: 100, final: 0.001f),
            Schedule.Exponential(0.1f, 0.99f), Schedule.Decay(0.1f, 0.5f, every: 30), Schedule.MultiStep(0.1f, 0.5f, 30, 80),
            Schedule.Polynomial(0.1f, steps: 100, power: 2), Schedule.CosineRestarts(0.1f, period: 50, multiplier: 2),
            Schedule.OneCycle(highest: 0.1f, steps: 100), Schedule.Cyclic(0.01f, 0.1f, up: 20),
            Schedule.Warmup(10).Then(Schedule.Cosine(0.1f, steps: 100)), Schedule.From(step => 0.1f / (1 + step)),
        ];
        (float[] x, float[] t) = (Numbers(16, 1), Numbers(8, 2));
        foreach (Optimizer optimizer in optimizers)
        {
            var model = new Sequential(new Dense(1));
            model.Build([2], seed: 1);
            using var trainer = new Trainer(model, Device, Loss.MeanSquaredError, optimizer);
            float first = trainer.TrainBatch(x, t);
            Assert.That(trainer.TrainBatch(x, t), Is.LessThan(first), optimizer.ToString());
        }

        Assert.That(schedules.SelectMany(schedule => schedule.First(100)), Has.All.InRange(0, 0.1f));
    }

    /// <summary>Each layer alone, from numbers between -1 and 1.</summary>
    private void Compute((Layer Layer, Shape Example)[] layers)
    {
        foreach ((Layer layer, Shape example) in layers)
        {
            layer.Build(example, seed: 1);
            using Predictor predictor = layer.CreatePredictor(Device);
            float[] y = predictor.Predict(Numbers((int)(2 * example.Count), 1));
            Assert.That(y, Is.Not.Empty.And.All.Matches<float>(float.IsFinite), layer.ToString());
        }
    }

    /// <summary>The sum of each value, of x [4, 6] between 0 and 1 and i [4, 6] of 0 to 3.</summary>
    private void Compute(Func<Value, Value, Value[]> record)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([4, 6], name: "x"), i = graph.Input([4, 6], DType.Int32, "i");
        Value[] sums = [.. record(x, i).Select(value => value.Cast(DType.Float32).Sum())];
        using Session session = graph.Compile(Device, [ShapeOperators.Stack(0, sums)]);
        using SessionRun run = session.Begin([4, 6], [4, 6]);
        run.Write<float>("x", Array.ConvertAll(Numbers(24, 1), number => (number + 1) / 2));
        run.Write<int>("i", [.. Enumerable.Range(0, 24).Select(at => at * 7 % 4)]);
        run.Compute();
        var found = new float[sums.Length];
        run.Read<float>(0, found);
        for (int at = 0; at < found.Length; at++)
        {
            Assert.That(found[at], Is.Not.NaN, at.ToString(CultureInfo.InvariantCulture));
        }
    }
}
