namespace FastNN.Onnx.Host;

/// <summary>NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: weights, ignored classes, reductions.</summary>
internal static class Losses
{
    public static OnnxValue?[] NegativeLogLikelihood(HostCall call) => HostCall.One(Loss(call, call.Tensor(0), call.Optional(2)));

    public static OnnxValue?[] SoftmaxCrossEntropy(HostCall call)
    {
        OnnxTensor x = call.Tensor(0);
        double[] log = (double[])Numbers.Doubles(x).Clone();
        int classes = x.Dims[1], inner = Shapes.Product(x.Dims.AsSpan(2));
        for (int i = 0; i < log.Length / Math.Max(classes, 1); i++)
        {
            int start = (i / inner * classes * inner) + (i % inner);
            double max = double.NegativeInfinity, sum = 0;
            for (int c = 0; c < classes; c++)
            {
                max = Math.Max(max, log[start + (c * inner)]);
            }

            for (int c = 0; c < classes; c++)
            {
                sum += Math.Exp(log[start + (c * inner)] - max);
            }

            for (int c = 0; c < classes; c++)
            {
                log[start + (c * inner)] -= max + Math.Log(sum);
            }
        }

        var probabilities = new OnnxTensor(OnnxElementType.Float64, x.Dims, log);
        OnnxTensor loss = Numbers.Convert(Loss(call, probabilities, call.Optional(2)), x.ElementType);
        return [loss, Numbers.Convert(probabilities, x.ElementType)];
    }

    private static OnnxTensor Loss(HostCall call, OnnxTensor x, OnnxTensor? weights)
    {
        OnnxTensor targets = call.Tensor(1);
        long[] labels = call.Longs(1)!;
        int classes = x.Dims[1], inner = Shapes.Product(x.Dims.AsSpan(2));
        if (x.Rank < 2 || labels.Length != x.Dims[0] * inner)
        {
            throw call.Error("scores [N, C, ...] and a target for each of N, ...", $"{x} and {targets}");
        }

        double[] values = Numbers.Doubles(x), loss = new double[labels.Length];
        double[]? byClass = weights is null ? null : Numbers.Doubles(weights);
        bool ignores = call.HasAttribute("ignore_index");
        long ignored = call.Int("ignore_index", -1);
        double sum = 0, weight = 0;
        for (int i = 0; i < labels.Length; i++)
        {
            if (ignores && labels[i] == ignored)
            {
                continue;
            }

            if (labels[i] < 0 || labels[i] >= classes)
            {
                throw call.Error($"targets from 0 to {classes - 1}", $"{labels[i]}");
            }

            double w = byClass?[labels[i]] ?? 1;
            loss[i] = -values[(((i / inner * classes) + (int)labels[i]) * inner) + (i % inner)] * w;
            sum += loss[i];
            weight += w;
        }

        return call.Text("reduction", "mean") switch
        {
            "none" => Normalizations.Rounded(loss, targets.Dims, x.ElementType),
            "sum" => Normalizations.Rounded([sum], [], x.ElementType),
            "mean" => Normalizations.Rounded([sum / weight], [], x.ElementType),
            var other => throw call.Error("reduction none, sum or mean", other),
        };
    }
}
