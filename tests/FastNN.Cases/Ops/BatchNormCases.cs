namespace FastNN.Testing;

/// <summary>
/// Batch, group and instance normalization; the reference has no backward of its own, central differences of it are what
/// gradients are held to.
/// </summary>
internal sealed class BatchNormCases : IOpCases
{
    private const float Eps = 1e-3f;

    public static IEnumerable<OpCase> Cases
    {
        get
        {
            foreach (int[] shape in new int[][] { [5, 3], [8, 33], [3, 4, 7], [2, 5, 6, 3], [4, 3, 3, 17], [700, 129],
                [2, 3, 2, 5, 6], [1031, 64], [520, 96], [2053, 7], [4, 66], [2, 1], [3, 8], [2048, 8],
                [703, 129], [601, 302], [600, 302], [1033, 257], [1025, 66], [301, 68], [77, 13],
                [61, 129], [19, 143], [64, 131], [3, 137], [129, 8] })
            {
                foreach (int parameters in new[] { 0, 1, 2 })
                {
                    yield return Batch(new Shape(shape), parameters, training: true);
                }

                yield return Batch(new Shape(shape), 2, training: false);
            }

            foreach (int[] shape in new int[][]
            {
                [5, 3], [3, 4, 7], [4, 3, 3, 17], [700, 129], [1031, 64], [2053, 7], [2, 9, 16], [1500, 8], [23, 133],
            })
            {
                yield return Finished(new Shape(shape), adds: true, clips: false);
                yield return Finished(new Shape(shape), adds: true, clips: true);
                yield return Finished(new Shape(shape), adds: false, clips: true);
            }

            yield return Running(new Shape(6, 5));
            yield return Running(new Shape(3, 4, 4, 7));
            yield return Running(new Shape(1031, 65));
            yield return Running(new Shape(1030, 24));
            foreach ((int[] shape, int groups) in new (int[], int)[]
            {
                ([3, 4], 2), ([2, 5, 6], 3), ([2, 3, 3, 8], 4), ([3, 4, 4, 7], 1), ([1, 2, 3, 2, 66], 2), ([2, 400, 96], 3),
                ([5, 33, 30], 10), ([2, 17, 129], 1), ([2, 3, 1100], 1), ([9, 67, 129], 43),
                ([19, 5, 30], 10), ([18, 3, 264], 33), ([3, 5, 774], 3),
                ([2, 41, 129], 43), ([10, 2, 2202], 2), ([1, 3, 1032], 1),
            })
            {
                for (int parameters = 0; parameters <= 2; parameters++)
                {
                    yield return Group(new Shape(shape), groups, parameters);
                }
            }

            foreach (int[] shape in new int[][]
            {
                [3, 7, 3], [2, 3, 3, 4], [2, 2, 3, 2, 17], [3, 700, 64], [1, 13, 33], [9, 2, 1], [3, 131, 67], [35, 3, 261],
            })
            {
                yield return Instance(new Shape(shape), 0);
                yield return Instance(new Shape(shape), 2);
            }
        }
    }

    private static OpCase Group(Shape x, int groups, int parameters) => OfChannels(
        $"groups {x} by {groups}, {parameters} parameters", x, groups, parameters,
        values => values[0].GroupNorm(groups, values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), Eps));

    private static OpCase Instance(Shape x, int parameters) => OfChannels(
        $"instances {x}, {parameters} parameters", x, x[-1], parameters,
        values => values[0].InstanceNorm(values.ElementAtOrDefault(1), values.ElementAtOrDefault(2), Eps));

    private static OpCase OfChannels(string name, Shape x, int groups, int parameters, Func<Value[], Value> build)
    {
        int channels = x[-1], example = (int)x.Product(1, x.Rank), perGroup = channels / groups;
        Shape own = new(channels);
        OpInput[] inputs = [OpInput.Uniform("x", x), OpInput.Uniform("weight", own, 0.5, 1.5), OpInput.Uniform("bias", own)];
        return new OpCase(
            name, inputs[..(1 + parameters)], build,
            values => NormalizationReference.Forward(
                values[0], values.ElementAtOrDefault(1), values.ElementAtOrDefault(2),
                i => (i / example * groups) + (i % channels / perGroup), i => i % channels, Eps))
        {
            Samples = x.Count > 10_000 ? 3 : 16,
            Tolerance = 1e-5 * Math.Max(1, Math.Sqrt(x.Count / (double)channels) / 2),
        };
    }

    private static OpCase Batch(Shape x, int parameters, bool training)
    {
        int channels = x[-1];
        Shape own = new(channels);
        OpInput mean = OpInput.Uniform("mean", own).Constant(), variance = OpInput.Uniform("variance", own, 0.5, 1.5).Constant();
        OpInput[] inputs = [
            OpInput.Uniform("x", x), mean, variance, OpInput.Uniform("weight", own, 0.5, 1.5), OpInput.Uniform("bias", own)];
        return new OpCase(
            $"{x}, {parameters} parameters{(training ? "" : ", inference")}", inputs[..(3 + parameters)],
            values => Record(values, training)[0],
            values => NormalizationReference.Forward(
                values[0], values.ElementAtOrDefault(3), values.ElementAtOrDefault(4), i => i % channels, i => i % channels, Eps,
                training ? null : (values[1], values[2])))
        {
            Samples = x.Count > 10_000 ? 3 : 16,
            Tolerance = 1e-5 * Math.Max(1, Math.Sqrt(x.Count / (double)channels) / 2),
        };
    }

    private static OpInput Large(string name, Shape shape) => new(
        name, shape,
        (random, count) => [
            .. Enumerable.Range(0, count).Select(_ => (2.5 + random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1))]);

    /// <summary>What passes put behind the normalization. The bias or the residual decides the sign, so that no value is near the
    /// kink.</summary>
    private static OpCase Finished(Shape x, bool adds, bool clips)
    {
        int channels = x[-1];
        Shape own = new(channels);
        OpInput mean = OpInput.Uniform("mean", own).Constant(), variance = OpInput.Uniform("variance", own, 0.5, 1.5).Constant();
        OpInput bias = OpInput.Uniform("bias", own);
        OpInput[] inputs = [
            OpInput.Uniform("x", x), mean, variance, OpInput.Uniform("weight", own, 0.2, 0.5),
            adds ? bias : Large("bias", own), .. adds ? [Large("residual", x)] : (OpInput[])[]];
        return new OpCase(
            $"{x}{(adds ? ", residual" : "")}{(clips ? ", ReLU" : "")}", inputs,
            values =>
            {
                Value y = Record(values[..5], training: true)[0];
                y = adds ? y + values[5] : y;
                return clips ? y.ReLU() : y;
            },
            values =>
            {
                double[] y = NormalizationReference.Forward(
                    values[0], values[3], values[4], i => i % channels, i => i % channels, Eps);
                y = adds ? [.. y.Zip(values[5], (a, b) => a + b)] : y;
                return clips ? Array.ConvertAll(y, value => Math.Max(0, value)) : y;
            })
        {
            Samples = x.Count > 10_000 ? 3 : 16,
            Tolerance = 1e-5 * Math.Max(1, Math.Sqrt(x.Count / (double)channels) / 2),
        };
    }

    /// <summary>The running statistics after a step: the variance takes the unbiased one.</summary>
    private static OpCase Running(Shape x)
    {
        int channels = x[-1];
        double count = x.Count / channels;
        OpInput mean = OpInput.Uniform("mean", new Shape(channels)).Constant(),
        variance = OpInput.Uniform("variance", new Shape(channels), 0.5, 1.5).Constant();
        return new OpCase(
            $"running statistics of {x}", [OpInput.Uniform("x", x).Constant(), mean, variance],
            values =>
            {
                Value[] outputs = Record(values, training: true);
                return Operators.Concat(0, outputs[1], outputs[2]);
            },
            values =>
            {
                (double[] batchMean, double[] batchVariance) = NormalizationReference.Statistics(values[0], i => i % channels);
                return
                [
                    .. values[1].Zip(batchMean, (old, now) => (0.9 * old) + (0.1 * now)),
                    .. values[2].Zip(batchVariance, (old, now) => (0.9 * old) + (0.1 * now * count / (count - 1))),
                ];
            });
    }

    private static Value[] Record(Value[] values, bool training) =>
        values[0].Graph.AddNode(new FastNN.Ops.BatchNormOp(training, 0.1f, Eps), values);
}
