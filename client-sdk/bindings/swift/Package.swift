// swift-tools-version:5.7
// Not compiled: no Swift tool chain was at hand.
// SPDX-License-Identifier: Apache-2.0
// The Swift package: the C library, found by pkg-config as `deskbell`, and the Swift one over it.
import PackageDescription

let package = Package(
    name: "Deskbell",
    platforms: [.macOS(.v10_15), .iOS(.v13)],
    products: [.library(name: "Deskbell", targets: ["Deskbell"])],
    targets: [
        .systemLibrary(name: "CDeskbell", path: "CDeskbell", pkgConfig: "deskbell"),
        .target(name: "Deskbell", dependencies: ["CDeskbell"], path: "Sources/Deskbell"),
    ]
)
