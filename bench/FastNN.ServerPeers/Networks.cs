using FastNN.Onnx;

namespace FastNN.ServerPeers;

/// <summary>The networks that are served, made here and written as ONNX.</summary>
internal static class Networks
{
    public const int Pixels = 784;
    public const int Hidden = 128;
    public const int Classes = 10;
    public const int Wide = 4096;

    /// <summary>A perceptron of digits' sizes.</summary>
    public static Sequential Digits(ulong seed) => Build(Pixels, seed, new Dense(Hidden, Activation.ReLU), new Dense(Classes));

    /// <summary>
    /// As <see cref="Digits"/>, with one output more, which is the network's version whatever goes in: its weights are zero, its
    /// bias is the version. So each answer names the weights that it was computed with.
    /// </summary>
    public static Sequential Versioned(int version)
    {
        var last = new Dense(Classes + 1);
        Sequential network = Build(Pixels, (ulong)version, new Dense(Hidden, Activation.ReLU), last);
        float[] weight = Values(last.Weight!);
        for (int i = 0; i < Hidden; i++)
        {
            weight[(i * (Classes + 1)) + Classes] = 0;
        }

        last.Weight!.Write(weight);
        var bias = new float[Classes + 1];
        bias[Classes] = version;
        last.Bias!.Write(bias);
        return network;
    }

    /// <summary>Three layers whose weights do not fit into a cache: 134 MB.</summary>
    public static Sequential WideLayers(ulong seed) => Build(
        Wide, seed, new Dense(Wide, Activation.ReLU), new Dense(Wide, Activation.ReLU), new Dense(Classes));

    /// <summary>Writes a network so that nobody ever sees half of it.</summary>
    public static void Export(Sequential network, string path)
    {
        string partial = path + ".partial";
        network.ExportOnnx(partial);
        File.Move(partial, path, overwrite: true);
    }

    /// <summary>What dense layers with a ReLU between them answer to one example, by plain loops in double.</summary>
    public static float[] Reference(Sequential network, ReadOnlySpan<float> input)
    {
        Parameter[] parameters = [.. network.Parameters];
        double[] values = Array.ConvertAll(input.ToArray(), value => (double)value);
        for (int i = 0; i < parameters.Length; i += 2)
        {
            values = Layer(values, parameters[i], parameters[i + 1]);
            bool isLast = i + 2 == parameters.Length;
            values = isLast ? values : Array.ConvertAll(values, value => Math.Max(value, 0));
        }

        return Array.ConvertAll(values, value => (float)value);
    }

    /// <summary>Examples in 0..1, mostly zero as pictures of digits are: a row of them leaves those weights unread.</summary>
    public static float[][] Pictures(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Pixels)
            .Select(_ => random.Next(5) == 0 ? random.NextSingle() : 0).ToArray())];
    }

    /// <summary>Examples in -1..1 for <see cref="WideLayers"/>, such as embeddings: nothing is zero.</summary>
    public static float[][] WideExamples(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Wide)
            .Select(_ => (2 * random.NextSingle()) - 1).ToArray())];
    }

    /// <summary>
    /// Whether an answer is the expected one but for rounding, which depends on the batch that it was computed in. Networks of
    /// other seeds differ by tenths.
    /// </summary>
    public static bool Matches(ReadOnlySpan<float> answer, ReadOnlySpan<float> expected)
    {
        bool same = answer.Length == expected.Length;
        for (int i = 0; same && i < answer.Length; i++)
        {
            same = Math.Abs(answer[i] - expected[i]) <= 1e-4f * (1 + Math.Abs(expected[i]));
        }

        return same;
    }

    private static Sequential Build(int width, ulong seed, params Layer[] layers)
    {
        var network = new Sequential(layers);
        network.Build(new Shape(width), seed);
        return network;
    }

    private static double[] Layer(double[] input, Parameter weightOf, Parameter biasOf)
    {
        float[] weight = Values(weightOf), bias = Values(biasOf);
        double[] output = Array.ConvertAll(bias, value => (double)value);
        for (int i = 0; i < input.Length; i++)
        {
            for (int j = 0; j < output.Length; j++)
            {
                output[j] += input[i] * weight[(i * output.Length) + j];
            }
        }

        return output;
    }

    private static float[] Values(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Read(values);
        return values;
    }
}
