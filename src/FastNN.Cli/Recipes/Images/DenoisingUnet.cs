namespace FastNN.Cli.Recipes;

/// <summary>
/// A small U-Net (Ronneberger et al., 2015) for diffusion: 28 x 28 pixels are taken as 14 x 14 blocks of four, and the time and
/// the digit go into every residual block.
/// </summary>
internal static class DenoisingUnet
{
    private const int Groups = 8;

    /// <summary>
    /// A network of "x" [28, 28, 1], "time" [1], from 0 to 1, and "digit" [10], a 1 among zeros, that gives as many numbers as
    /// there are pixels.
    /// </summary>
    /// <param name="width">Channels at 14 x 14, a multiple of 8; twice as many at 7 x 7.</param>
    public static Model Create(int width)
    {
        Symbol x = Model.Input("x", [28, 28, 1]), time = Model.Input("time", [1]), digit = Model.Input("digit", [10]);
        Symbol told = Symbol.Concat(new TimeFeatures(frequencies: 16).Apply(time), digit);
        Symbol embedding = new Dense(4 * width, Activation.SiLU).Apply(new Dense(4 * width, Activation.SiLU).Apply(told));
        Symbol fine = Block(Conv(width).Apply(new PixelUnshuffle(2).Apply(x)), embedding, width);
        Symbol coarse = new Conv2D(2 * width, 3) { Stride = 2, Padding = 1 }.Apply(fine);
        coarse = Block(Block(coarse, embedding, 2 * width), embedding, 2 * width);
        Symbol back = new ConvTranspose2D(width, 4) { Stride = 2, Padding = 1 }.Apply(coarse);
        Symbol joined = Block(Conv(width).Apply(Symbol.Concat(fine, back)), embedding, width);
        Symbol y = new PixelShuffle(2).Apply(Conv(4).Apply(Activated(joined)));
        return new Model([x, time, digit], [("velocity", y)]);
    }

    /// <summary>
    /// A residual block, whose channels are scaled and shifted by what time and digit say (Dhariwal and Nichol, 2021).
    /// </summary>
    private static Symbol Block(Symbol x, Symbol embedding, int width)
    {
        Symbol inner = new GroupNorm(Groups).Apply(Conv(width).Apply(Activated(x)));
        inner = inner + (inner * Told(embedding, width)) + Told(embedding, width);
        return x + Conv(width).Apply(new ActivationLayer(Activation.SiLU).Apply(inner));
    }

    private static Symbol Told(Symbol embedding, int width) =>
        new Reshape([1, 1, width]).Apply(new Dense(width).Apply(embedding));

    private static Symbol Activated(Symbol x) =>
        new ActivationLayer(Activation.SiLU).Apply(new GroupNorm(Groups).Apply(x));

    private static Conv2D Conv(int filters) => new(filters, 3) { Padding = 1 };

    /// <summary>Sines and cosines of a time from 0 to 1 in waves from long to short.</summary>
    private sealed class TimeFeatures(int frequencies) : Layer
    {
        protected override Value Forward(Value x)
        {
            float[] rates = [.. Enumerable.Range(0, frequencies).Select(i => MathF.Pow(500, i / (frequencies - 1f)))];
            Value waves = x * x.Graph.Constant(rates, [1, frequencies]);
            return Operators.Concat(-1, waves.Sin(), waves.Cos());
        }
    }
}
