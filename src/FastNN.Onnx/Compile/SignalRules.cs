namespace FastNN.Onnx.Compile;

/// <summary>Operators of signals as products with constant matrices.</summary>
internal static class SignalRules
{
    // Frames beyond that would make larger matrices than transforms are worth.
    private const int MostSamples = 4096;

    /// <summary>STFT of real signals: overlapping frames times the window and the transform's matrix.</summary>
    public static Traced?[]? Stft(TraceCall call)
    {
        if (call.FloatInput(0) is not { } x || !(x.Rank == 2 || (x.Rank == 3 && x.Dims[2] == 1))
            || call.TracedInput(1) is not null || call.TracedInput(2) is not null || call.TracedInput(3) is not null)
        {
            return null;
        }

        OnnxTensor? window = call.FloatConstant(2);
        long step = call.Host.Long(1) ?? 0, size = call.Host.Long(3) ?? window?.Count ?? 0;
        int batch = x.Dims[0], samples = x.Dims[1];
        if (step <= 0 || size is <= 0 or > MostSamples || size > samples || (window is not null && window.Count != size)
            || (call.Has(2) && window is null))
        {
            return null;
        }

        int length = (int)size, frames = 1 + ((samples - length) / (int)step);
        int bins = call.Host.Int("onesided", 1) != 0 ? (length / 2) + 1 : length;
        var places = new int[frames * length];
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = (i / length * (int)step) + (i % length);
        }

        var matrix = new float[length * bins * 2];
        for (int n = 0; n < length; n++)
        {
            float factor = window?.Array<float>()[n] ?? 1;
            for (int k = 0; k < bins; k++)
            {
                (double sin, double cos) = Math.SinCos(-2 * Math.PI * ((long)k * n % length) / length);
                matrix[(((n * bins) + k) * 2) + 0] = (float)(cos * factor);
                matrix[(((n * bins) + k) * 2) + 1] = (float)(sin * factor);
            }
        }

        Value parts = x.Plain.Reshape(new Shape(batch, samples))
            .IndexSelect(1, call.Graph.ConstantInt32(places, new Shape(places.Length)))
            .Reshape(new Shape(batch * frames, length));
        Value y = parts.Dense(call.Graph.Constant(matrix, new Shape(length, bins * 2)));
        return [Traced.OfPlain(y.Reshape(new Shape(batch, frames, bins, 2)), x.Type, [batch, frames, bins, 2])];
    }
}
