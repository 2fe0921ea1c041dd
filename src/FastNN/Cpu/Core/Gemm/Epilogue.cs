using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>
/// What happens to a product before it is stored: C = f(A * B + bias), or C += A * B + bias.
/// ReLU and LeakyReLU are applied in registers; the other activations in a second pass over the tile just stored, which is
/// still in the first-level cache.
/// </summary>
internal readonly unsafe struct Epilogue
{
    private static readonly int ReluId = UnaryFunction.Of<Relu>().Id, LeakyReluId = UnaryFunction.Of<LeakyRelu>().Id;

    /// <summary>One value per output column; null for none.</summary>
    public readonly float* Bias;

    public readonly Activation Activation;

    /// <summary>C += instead of C =. The activation applies to the sum (of several blocks of K, the last has one).</summary>
    public readonly bool Accumulate;

    public Epilogue(float* bias, Activation activation = default, bool accumulate = false)
    {
        Bias = bias;
        Activation = activation;
        Accumulate = accumulate;
    }

    /// <summary>C = A * B.</summary>
    public static Epilogue Store => default;

    /// <summary>C += A * B.</summary>
    public static Epilogue Add => new(null, accumulate: true);

    /// <summary>Whether the activation is a line for negative sums and the identity for others.</summary>
    public bool IsRectifier => Activation.Id == ReluId || Activation.Id == LeakyReluId;

    /// <summary>That line's slope: 0 for ReLU.</summary>
    public float Slope => Activation.Scalars.First;

    /// <summary>Whether the activation is a second pass, done by <see cref="Finish"/>.</summary>
    public bool NeedsFinish => !Activation.IsNone && !IsRectifier;

    /// <summary>The same for the columns from <paramref name="column"/> on.</summary>
    public Epilogue At(nint column) => Bias == null ? this : new(Bias + column, Activation, Accumulate);

    /// <summary>This epilogue for one block of several along K: the first brings the bias, the last the activation.</summary>
    public Epilogue ForBlock(bool first, bool last) => new(
        first ? Bias : null, last ? Activation : default, Accumulate || !first);

    /// <summary>C (=|+=) sums + bias, then the activation: for kernels that do not end in vectors of columns.</summary>
    public void Apply(float* sums, nint sumStride, float* c, nint cStride, int rows, int cols)
    {
        bool plain = Bias == null && !Accumulate && Activation.IsNone;
        for (int r = 0; r < rows; r++)
        {
            for (int j = 0; j < cols; j++)
            {
                float value = sums[(r * sumStride) + j];
                if (plain)
                {
                    c[(r * cStride) + j] = value;
                    continue;
                }

                value += Bias != null ? Bias[j] : 0;
                value += Accumulate ? c[(r * cStride) + j] : 0;
                if (IsRectifier && value < 0)
                {
                    value *= Slope;
                }

                c[(r * cStride) + j] = value;
            }
        }

        if (NeedsFinish)
        {
            Finish(c, cStride, rows, cols);
        }
    }

    /// <summary>Applies the activation to a stored tile.</summary>
    public void Finish(float* c, nint cStride, int rows, int cols)
    {
        for (int r = 0; r < rows; r++)
        {
            FunctionLoops.Of(Activation).InPlace(Activation.Scalars, c + (r * cStride), cols);
        }
    }
}
