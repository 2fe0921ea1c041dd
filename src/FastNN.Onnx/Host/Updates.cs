namespace FastNN.Onnx.Host;

/// <summary>The optimizers of the domain ai.onnx.preview.training, for any number of tensors at once.</summary>
internal static class Updates
{
    /// <summary>Momentum, standard or Nesterov: weights, gradients, velocities.</summary>
    public static OnnxValue?[] Momentum(HostCall call)
    {
        double rate = call.Number(0)!.Value, step = call.Number(1)!.Value, decay = call.Float("norm_coefficient", 0);
        double alpha = call.Float("alpha", 0), beta = step > 0 ? call.Float("beta", 0) : 1;
        bool nesterov = call.Text("mode", "standard") == "nesterov";
        return ForEach(call, 3, tensors =>
        {
            (double[] x, double[] g, double[] v) = (tensors[0], tensors[1], tensors[2]);
            for (int i = 0; i < x.Length; i++)
            {
                double regularized = (decay * x[i]) + g[i];
                v[i] = (alpha * v[i]) + (beta * regularized);
                x[i] -= rate * (nesterov ? regularized + (alpha * v[i]) : v[i]);
            }

            return [x, v];
        });
    }

    public static OnnxValue?[] Adagrad(HostCall call)
    {
        double step = call.Number(1)!.Value, rate = call.Number(0)!.Value / (1 + (step * call.Float("decay_factor", 0)));
        double decay = call.Float("norm_coefficient", 0), epsilon = call.Float("epsilon", 1e-6f);
        return ForEach(call, 3, tensors =>
        {
            (double[] x, double[] g, double[] h) = (tensors[0], tensors[1], tensors[2]);
            for (int i = 0; i < x.Length; i++)
            {
                double regularized = (decay * x[i]) + g[i];
                h[i] += regularized * regularized;
                x[i] -= rate * regularized / (Math.Sqrt(h[i]) + epsilon);
            }

            return [x, h];
        });
    }

    public static OnnxValue?[] Adam(HostCall call)
    {
        double rate = call.Number(0)!.Value, step = call.Number(1)!.Value, alpha = call.Float("alpha", 0.9f),
            beta = call.Float("beta", 0.999f);
        double decay = call.Float("norm_coefficient", 0), after = call.Float("norm_coefficient_post", 0),
            epsilon = call.Float("epsilon", 1e-6f);
        double adjusted = step > 0 ? rate * Math.Sqrt(1 - Math.Pow(beta, step)) / (1 - Math.Pow(alpha, step)) : rate;
        return ForEach(call, 4, tensors =>
        {
            (double[] x, double[] g, double[] v, double[] h) = (tensors[0], tensors[1], tensors[2], tensors[3]);
            for (int i = 0; i < x.Length; i++)
            {
                double regularized = (decay * x[i]) + g[i];
                v[i] = (alpha * v[i]) + ((1 - alpha) * regularized);
                h[i] = (beta * h[i]) + ((1 - beta) * regularized * regularized);
                x[i] = (1 - after) * (x[i] - (adjusted * v[i] / (Math.Sqrt(h[i]) + epsilon)));
            }

            return [x, v, h];
        });
    }

    // Inputs: rate, step, then all weights, all gradients, all states; outputs likewise without the gradients.
    private static OnnxValue?[] ForEach(HostCall call, int kinds, Func<double[][], double[][]> update)
    {
        int count = (call.InputCount - 2) / kinds;
        if (count == 0 || (call.InputCount - 2) % kinds != 0)
        {
            throw call.Error($"a multiple of {kinds} tensors behind rate and step", $"{call.InputCount - 2}");
        }

        var outputs = new OnnxValue?[count * (kinds - 1)];
        for (int t = 0; t < count; t++)
        {
            OnnxTensor[] tensors = [.. Enumerable.Range(0, kinds).Select(kind => call.Tensor(2 + (kind * count) + t))];
            double[][] results = update(Array.ConvertAll(tensors, tensor => (double[])Numbers.Doubles(tensor).Clone()));
            for (int kind = 0; kind < kinds - 1; kind++)
            {
                outputs[(kind * count) + t] = Normalizations.Rounded(results[kind], tensors[0].Dims, tensors[0].ElementType);
            }
        }

        return outputs;
    }
}
