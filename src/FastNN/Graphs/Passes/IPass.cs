namespace FastNN.Graphs.Passes;

/// <summary>A rewrite of a recording before it is planned.</summary>
internal interface IPass
{
    /// <summary>Its name in reports.</summary>
    string Name { get; }

    /// <summary>
    /// Whether every output and every gradient keeps every bit. Passes that do not are run in inference alone.
    /// </summary>
    bool KeepsBits { get; }

    /// <summary>Rewrites what it can.</summary>
    /// <returns>Whether anything changed.</returns>
    bool Run(Recording recording);
}

/// <summary>The passes of every plan, run until none of them changes anything.</summary>
internal static class PassPipeline
{
    // Pooling takes its ReLU before an epilogue can: it then masks at the pooled resolution.
    private static readonly IPass[] Passes =
    [
        new DeadCode(), new CommonSubexpression(), new BiasIntoDense(), new AdditionIntoConvolution(), new ReLUIntoMaxPool(),
        new ActivationIntoEpilogue(), new IntoNormalization(), new LogSoftmaxIntoCrossEntropy(), new HeadsLastAttention(),
    ];

    /// <summary>All passes.</summary>
    public static IReadOnlyList<IPass> All => Passes;

    public static void Run(Recording recording)
    {
        bool changed;
        do
        {
            changed = false;
            foreach (IPass pass in Passes)
            {
                changed |= pass.Run(recording);
            }
        }
        while (changed);
    }
}
