using FastNN.Functions;

namespace FastNN.Cpu;

/// <summary>Activations that are a minimum or maximum or two.</summary>
internal enum Rectifier : byte
{
    None,

    /// <summary>ReLU.</summary>
    Positive,

    /// <summary>LeakyReLU, whose factor is the parameter.</summary>
    Leaky,

    /// <summary>ReLU6, whose bound is the parameter.</summary>
    Bounded,
}

/// <summary>
/// What happens to a product before it is stored: C = f(A * B + bias), or C += A * B + bias.
/// ReLU and ReLU6 are applied in registers; the other activations in a second pass over the tile just stored, which is still in
/// the first-level cache.
/// </summary>
internal readonly unsafe struct Epilogue
{
    private static readonly int ReluId = UnaryFunction.Of<Relu>().Id, LeakyReluId = UnaryFunction.Of<LeakyRelu>().Id,
        Relu6Id = UnaryFunction.Of<ReLU6>().Id;

    /// <summary>One value per output column; null for none.</summary>
    public readonly float* Bias;

    /// <summary>
    /// What a rectifier needs besides its kind: the factor of negative sums, or the upper bound. Otherwise the activation's
    /// parameter, of which an epilogue has one at most.
    /// </summary>
    public readonly float Parameter;

    /// <summary>What sums are raised to by a rectifier other than the leaky one.</summary>
    public float Floor => Rectifier is Rectifier.Positive or Rectifier.Bounded ? 0 : float.NegativeInfinity;

    /// <summary>What sums are cut off at by a rectifier other than the leaky one: ReLU6's bound, nothing for ReLU.</summary>
    public float Bound => Rectifier == Rectifier.Bounded ? Parameter : float.PositiveInfinity;

    /// <summary>C += instead of C =. The activation applies to the sum (of several blocks of K, the last has one).</summary>
    public readonly bool Accumulate;

    /// <summary>Which rectifier the activation is.</summary>
    public readonly Rectifier Rectifier;

    /// <summary>Whether the activation is a second pass, done by <see cref="Finish"/>.</summary>
    public readonly bool NeedsFinish;

    // Kernels copy an epilogue for each tile, so what they ask is decided once and kept in 24 bytes.
    private readonly ushort _function;

    public Epilogue(float* bias, Activation activation = default, bool accumulate = false)
        : this(
            bias, activation.Id == Relu6Id ? 6 : activation.Scalars.First, accumulate,
            checked((ushort)activation.Id))
    {
    }

    private Epilogue(float* bias, float parameter, bool accumulate, ushort function)
    {
        Bias = bias;
        Parameter = parameter;
        Accumulate = accumulate;
        _function = function;
        Rectifier = function == 0 ? Rectifier.None
            : function == ReluId || (function == LeakyReluId && parameter == 0) ? Rectifier.Positive
            : function == LeakyReluId ? Rectifier.Leaky
            : function == Relu6Id ? Rectifier.Bounded
            : Rectifier.None;
        NeedsFinish = function != 0 && Rectifier == Rectifier.None;
    }

    /// <summary>C = A * B.</summary>
    public static Epilogue Store => default;

    /// <summary>C += A * B.</summary>
    public static Epilogue Add => new(null, accumulate: true);

    /// <summary>Whether nothing is done to the product but to add it.</summary>
    public bool OnlyAdds => Accumulate && Bias == null && _function == 0;

    /// <summary>The same for sums that already hold what they are added to.</summary>
    public Epilogue WithoutAdding() => new(Bias, Parameter, false, _function);

    /// <summary>The same with another bias, where there is one.</summary>
    public Epilogue WithBias(float* bias) => Bias == null ? this : new(bias, Parameter, Accumulate, _function);

    /// <summary>The same for the columns from <paramref name="column"/> on.</summary>
    public Epilogue At(nint column) => WithBias(Bias + column);

    /// <summary>This epilogue for one block of several along K: the first brings the bias, the last the activation.</summary>
    public Epilogue ForBlock(bool first, bool last) => new(
        first ? Bias : null, Parameter, Accumulate || !first, last ? _function : (ushort)0);

    /// <summary>C (=|+=) sums + bias, then the activation: for kernels that do not end in vectors of columns.</summary>
    public void Apply(float* sums, nint sumStride, float* c, nint cStride, int rows, int cols)
    {
        bool plain = Bias == null && !Accumulate && _function == 0;
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
                c[(r * cStride) + j] = Rectifier switch
                {
                    Rectifier.None => value,
                    Rectifier.Leaky => value < 0 ? value * Parameter : value,
                    _ => value < 0 ? 0 : Rectifier == Rectifier.Bounded && value > Parameter ? Parameter : value,
                };
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
            FunctionLoops.Of(_function).InPlace(new Scalars(Parameter), c + (r * cStride), cols);
        }
    }
}
