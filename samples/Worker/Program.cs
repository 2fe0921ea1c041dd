// Labels the tables that somebody puts into a folder: tumor-worker [--model FILE.onnx] [--inbox FOLDER] [--once true]
using FastNN.Hosting;
using TumorWorker;

HostApplicationBuilder builder = Host.CreateApplicationBuilder(args);
builder.Services.AddFastNN()
    .AddModel("tumors", options =>
    {
        options.FromFile(builder.Configuration["model"] ?? "tumors.onnx");
        options.Labels.Add("malignant");
        options.Labels.Add("benign");
    });
builder.Services.AddHostedService<Labeler>();

using IHost host = builder.Build();
await host.RunAsync();
