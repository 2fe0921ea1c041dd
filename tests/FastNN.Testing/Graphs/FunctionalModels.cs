namespace FastNN.Testing;

/// <summary>Models that no Sequential can express.</summary>
internal static class FunctionalModels
{
    /// <summary>An image [8, 8, 1] and a table [5] give a price [1] and one of three kinds.</summary>
    public static Model TwoByTwo()
    {
        var cnn = new Sequential(new Conv2D(4, 3, Activation.ReLU), new MaxPool2D(2), new Flatten()) { Name = "cnn" };
        Symbol image = Model.Input("image", [8, 8, 1]), table = Model.Input("table", [5]);
        Symbol h = Symbol.Concat(cnn.Apply(image), new Dense(8, Activation.ReLU).Apply(table));
        return new Model([image, table], [("price", new Dense(1) { Name = "price" }.Apply(h)), ("kind", new Dense(3).Apply(h))]);
    }

    /// <summary>Three residual blocks for the toy problem.</summary>
    public static Model Residual()
    {
        Symbol x = Model.Input("x", [2]), h = new Dense(16, Activation.ReLU).Apply(x);
        for (int block = 0; block < 3; block++)
        {
            h = new ActivationLayer(Activation.ReLU).Apply(h + new Dense(16).Apply(new Dense(16, Activation.ReLU).Apply(h)));
        }

        return new Model(x, new Dense(Toy.Classes).Apply(h));
    }

    /// <summary>Runs <see cref="TwoByTwo"/>.</summary>
    public static void Run(
        Session session, ReadOnlySpan<float> image, ReadOnlySpan<float> table, Span<float> price, Span<float> kind)
    {
        using SessionRun run = session.Begin([price.Length, 8, 8, 1], [price.Length, 5]);
        run.Write("image", image);
        run.Write("table", table);
        run.Compute();
        run.Read("price", price);
        run.Read("kind", kind);
    }
}
