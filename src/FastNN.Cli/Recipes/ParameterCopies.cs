namespace FastNN.Cli.Recipes;

/// <summary>Parameters of one network for another.</summary>
internal static class ParameterCopies
{
    /// <summary>Copies the values of parameters to those of the same names.</summary>
    /// <param name="from">Has all the names.</param>
    /// <param name="to">The network that is changed.</param>
    /// <param name="which">Which of its parameters; null for all.</param>
    public static void CopyTo(this Layer from, Layer to, Func<NamedParameter, bool>? which = null)
    {
        Dictionary<string, Parameter> sources = from.NamedParameters.ToDictionary(named => named.Name, named => named.Parameter);
        foreach (NamedParameter target in to.NamedParameters.Where(which ?? (_ => true)))
        {
            var values = new float[target.Parameter.Count];
            sources[target.Name].Read(values);
            target.Parameter.Write(values);
        }
    }
}
