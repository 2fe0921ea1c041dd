namespace FastNN.Hosting.Protocol;

/// <summary>The names of models' states in the index of the repository.</summary>
internal static class ModelStates
{
    /// <summary>As in <c>READY</c>; a model that is not loaded is UNAVAILABLE as one that could not be.</summary>
    public static string Name(ModelState state) => state switch
    {
        ModelState.Ready => "READY",
        ModelState.Loading => "LOADING",
        ModelState.Unloading => "UNLOADING",
        _ => "UNAVAILABLE",
    };
}
