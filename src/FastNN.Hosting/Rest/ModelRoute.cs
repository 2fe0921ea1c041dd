using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.Rest;

/// <summary>The model's name and version in an address.</summary>
internal readonly struct ModelRoute(HttpContext http)
{
    /// <summary>The name.</summary>
    public string Name => http.Request.RouteValues["name"] as string ?? "";

    /// <summary>The version; null where the address has none.</summary>
    public string? Version => http.Request.RouteValues["version"] as string;

    /// <summary>The model, ready.</summary>
    /// <exception cref="InferenceException">There is none, or it is not ready.</exception>
    public IModel Find(IModelCatalog catalog) =>
        catalog.TryGet(Name, Version, out IModel? model) ? model : catalog.Find(Name, Version);
}
